"""What preparing images costs, beside the loop that anybody would write."""


def test_images_are_prepared_as_fast_as_by_two_processes_over_pillow(measure, hold):
    hold("preparation of JPEG files", measure("measure_preparation.py")["ratio"], 1)
