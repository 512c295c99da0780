from benchbase.cli.request import read_request
from benchbase.cli.run import run


def asked(*arguments):
    context = run.make_context("run", list(arguments))
    return read_request(context.params)


def test_withheld_labels_and_a_budget_change_every_scenario():
    request = asked("--label-fraction", "0.2", "--label-budget", "40")
    assert len(request.board.scenarios) == len(request.written.scenarios)
    for scenario in request.board.scenarios:
        assert (scenario.label_fraction, scenario.label_budget) == (0.2, 40)
    assert not request.as_written


def test_nothing_asked_is_the_board_as_written():
    assert asked().as_written


CONTROLLED = """
weighters = ["plain"]
controls = ["yardstick"]
seeds = 5

[[scenarios]]
imbalance = [1]
"""


def test_methods_of_one_s_own_run_without_the_board_s_controls(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(CONTROLLED)
    assert asked("--board", str(path)).board.controls == ("yardstick",)
    assert asked("--board", str(path), "--seeds", "2").board.controls == ("yardstick",)
    assert asked("--board", str(path), "--plugin", "clever").board.controls == ()
