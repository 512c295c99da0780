"""What the harness's loop costs beyond the training itself. The target is 1.03."""


def test_erm_through_the_harness_costs_hardly_more_than_a_bare_loop(measure, hold):
    hold("the kit's loop", measure("measure_loop.py", "200")["step_ratio"], 1.05)
