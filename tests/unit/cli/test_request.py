from pathlib import Path

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


def test_a_frozen_board_runs_into_the_home_only_and_says_so(tmp_path):
    (tmp_path / "board.toml").write_text('frozen = "protocol 1"\n' + CONTROLLED)
    frozen = asked("--board", str(tmp_path / "board.toml"))
    assert frozen.folder is None
    assert "its results were made under protocol 1" in frozen.notice
    (tmp_path / "board.toml").write_text(CONTROLLED)
    living = asked("--board", str(tmp_path / "board.toml"))
    assert (living.folder, living.notice) == (tmp_path, "")


def test_a_run_on_other_data_is_named_and_titled_by_what_it_runs():
    request = asked("--dataset", "fashion-mnist", "--noise", "pair:0.2", "--imbalance", "10")
    assert request.board.title == "fashion-mnist: pair 0.2, 1:10 (chosen on the command line)"
    assert request.board.name.startswith("fashion-mnist-")
    other = asked("--dataset", "fashion-mnist", "--noise", "pair:0.3", "--imbalance", "10")
    assert len({request.board.name, other.board.name, "quick"}) == 3


def test_a_board_of_the_user_s_does_not_write_where_a_built_in_one_of_its_name_does(tmp_path):
    path = tmp_path / "quick.toml"
    path.write_text(CONTROLLED)
    assert asked("--board", str(path)).board.name.startswith("quick-")
    assert asked("--board", "quick").board.name == "quick"


def test_files_lie_beside_the_board_or_where_one_stands(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(CONTROLLED)
    assert asked("--board", str(path)).beside == tmp_path
    assert asked("--board", str(path), "--noise", "matrix:m.csv").beside == Path()
