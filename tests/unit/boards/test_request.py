from pathlib import Path

import pytest

from benchbase.boards.order import Order
from benchbase.boards.request import read_request
from benchbase.boards.selectors import parse_selectors
from benchbase.cli.run import run
from benchbase.errors import UsageError
from tests.running import installed

ELSEWHERE = ("dry_run", "verbose", "as_json")


def asked(*arguments):
    given = run.make_context("run", list(arguments)).params
    options = {name: value for name, value in given.items() if name not in ELSEWHERE}
    return read_request(Order(**options), installed())


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
    own = parse_selectors(["yardstick"])
    assert asked("--board", str(path)).board.controls == own
    assert asked("--board", str(path), "--seeds", "2").board.controls == own
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


def test_options_of_data_sets_and_backbones_are_typed_as_declared():
    request = asked("--dataset", "digits", "--backbone", "resnet18[stem=small,weights=DEFAULT]")
    assert {scenario.backbone for scenario in request.board.scenarios} == {"resnet18"}
    for scenario in request.board.scenarios:
        assert scenario.backbone_options == {"stem": "small", "weights": "DEFAULT"}
        assert (scenario.dataset, scenario.dataset_options) == ("digits", {})


def test_an_option_that_equals_its_default_is_no_other_condition():
    [plain] = {one.backbone for one in asked("--backbone", "resnet18").board.scenarios}
    named = asked("--backbone", "resnet18[stem=stock]").board.scenarios
    assert plain == "resnet18"
    assert named == asked("--backbone", "resnet18").board.scenarios


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("resnet18[stem=small,stock]", "is a grid: give one value for each option"),
        ("resnet18[steam=small]", "did you mean stem"),
        ("resnet18[stem=huge]", "expected one of"),
        ("resnet19", "unknown backbone 'resnet19'; did you mean resnet18"),
    ],
)
def test_what_a_backbone_cannot_be_is_said(text, problem):
    with pytest.raises(UsageError, match=problem):
        asked("--backbone", text)


def test_python_may_give_one_text_for_a_list_and_numbers_are_checked():
    order = Order(plugins="erm", noise="pair:0.2", seeds=3, train_size=60)
    assert (order.plugins, order.noise) == (("erm",), ("pair:0.2",))
    assert read_request(order, installed()).board.seeds == (0, 1, 2)
    with pytest.raises(UsageError, match="epochs: expected 1 to inf, got 0"):
        Order(epochs=0)


def secret_file(folder, letter="x"):
    path = folder / f"secret-{letter}"
    path.write_text(letter * 32)
    return str(path)


def test_a_board_run_under_a_secret_stands_apart_from_the_public_one(tmp_path):
    (tmp_path / "board.toml").write_text(CONTROLLED)
    board = str(tmp_path / "board.toml")
    public = asked("--board", board)
    hidden = asked("--board", board, "--secret", secret_file(tmp_path))
    mark = hidden.secret.fingerprint
    assert (public.secret, public.board.noise_secret) == (None, "")
    assert hidden.board.noise_secret == mark
    assert hidden.board.name == f"{public.board.name}-{mark[:8]}"
    assert (hidden.folder, hidden.as_written) == (None, False)


def test_a_board_of_one_secret_runs_under_no_other_and_not_without(tmp_path):
    mark = asked("--secret", secret_file(tmp_path)).board.noise_secret
    (tmp_path / "board.toml").write_text(f'noise_secret = "{mark}"\n' + CONTROLLED)
    board = ("--board", str(tmp_path / "board.toml"))
    own = asked(*board, "--secret", secret_file(tmp_path))
    assert (own.as_written, own.folder) == (True, tmp_path)
    with pytest.raises(UsageError, match=f"the secret {mark}, and none was named"):
        asked(*board)
    with pytest.raises(UsageError, match="name its file with --secret"):
        asked(*board, "--secret", secret_file(tmp_path, "y"))


def test_corrected_labels_stand_beside_the_labels_as_they_were(tmp_path):
    (tmp_path / "corrected.csv").touch()
    table = str(tmp_path / "corrected.csv")
    request = asked("--dataset", f"folder:{tmp_path}", "--labels", table)
    before, after = request.board.scenarios
    assert "labels_file" not in before.dataset_options
    assert after.dataset_options == {**before.dataset_options, "labels_file": table}
    assert before.data == after.data


@pytest.mark.parametrize("data", [[], ["--dataset", "nuclei"]])
def test_labels_of_a_data_set_with_a_name_cannot_be_corrected(data, tmp_path):
    (tmp_path / "corrected.csv").touch()
    with pytest.raises(UsageError, match="--labels"):
        asked("--labels", str(tmp_path / "corrected.csv"), *data)
