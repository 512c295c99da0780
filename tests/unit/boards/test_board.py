from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import msgspec
import pytest

from benchbase.boards.board import (
    Board,
    board_folder,
    load_board,
    load_suite,
)
from benchbase.boards.conditions import scenario_text
from benchbase.boards.places import leaderboards_of
from benchbase.boards.selectors import parse_selector, parse_selectors
from benchbase.cell import Recipe
from benchbase.errors import UsageError

ROOT = Path(__file__).parents[3]
SMALL = """
weighters = ["a", "b[x=1,2]"]
seeds = 3

[[scenarios]]
dataset = "digits"
noise = ["none", "pair:0.3"]
imbalance = [1, "step:5"]
"""


def write(folder: Path, text: str, name: str = "board.toml") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_board_file_gives_scenarios_seeds_and_weighters(tmp_path):
    board = load_board(write(tmp_path / "mine", SMALL))
    assert (board.name, board.seeds) == ("mine", (0, 1, 2))
    assert board.weighters == parse_selectors(["a", "b[x=1]", "b[x=2]"])
    assert board.reference == parse_selector("a")
    assert (board.metric, board.rule) == ("balanced_accuracy", "tail")
    assert len(board.scenarios) == 4
    assert {scenario.dataset for scenario in board.scenarios} == {"digits"}


def test_a_board_survives_json(tmp_path):
    board = load_board(write(tmp_path, SMALL))
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(board))), Board) == board
    board = dataclasses.replace(board, controls=parse_selectors(["c", 'd[on=true,name="1"]']))
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(board))), Board) == board


def test_a_board_from_before_there_were_controls_is_read(tmp_path):
    board = load_board(write(tmp_path, SMALL))
    before = msgspec.to_builtins(board)
    del before["controls"]
    assert msgspec.convert(before, Board) == board


def test_controls_run_at_the_first_seeds_of_the_board(tmp_path):
    text = SMALL.replace("seeds = 3", 'seeds = [9, 4, 7, 1]\ncontrols = ["c", "b[x=3]"]')
    board = load_board(write(tmp_path, text))
    assert board.controls == parse_selectors(["c", "b[x=3]"])
    [control, _] = board.controls
    assert board.seeds_of(control) == (9, 4, 7)
    assert dataclasses.replace(board, seeds=(5,)).seeds_of(control) == (5,)


def test_yardsticks_are_rows_and_those_that_are_ceilings_run_at_all_seeds(tmp_path):
    text = SMALL.replace("seeds = 3", 'seeds = 5\ncontrols = ["c", "b[x=3]"]')
    text += '[yardsticks]\nweights = "c"\ntrusted = "b[x=3]"\n'
    board = load_board(write(tmp_path, text))
    ceiling, alone = board.controls
    assert board.yardsticks == {"weights": ceiling, "trusted": alone}
    assert board.seeds_of(ceiling) == board.seeds
    assert board.seeds_of(alone) == (0, 1, 2)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('weights = "d"', "'d' is no row of this board: add it to the controls"),
        ('wieghts = "c"', "did you mean weights"),
        ('weights = "c["', "'c['"),
    ],
)
def test_a_yardstick_that_is_none_is_refused(tmp_path, line, told):
    text = SMALL.replace("seeds = 3", 'seeds = 5\ncontrols = ["c"]')
    with pytest.raises(UsageError, match=re.escape(told)):
        load_board(write(tmp_path, f"{text}[yardsticks]\n{line}\n"))


def test_a_board_may_fix_the_steps_of_an_epoch(tmp_path):
    recipe = "recipe = {epochs = 30, steps_per_epoch = 100}"
    text = SMALL.replace('dataset = "digits"', f'dataset = "digits"\n{recipe}')
    board = load_board(write(tmp_path, text))
    assert {scenario.recipe for scenario in board.scenarios} == {
        Recipe(epochs=30, steps_per_epoch=100)
    }
    with pytest.raises(UsageError, match=r"recipe\.steps_per_epoch: expected a whole"):
        load_board(write(tmp_path, text.replace("100", "0")))


def test_a_list_of_label_fractions_is_one_scenario_each(tmp_path):
    text = SMALL.replace('dataset = "digits"', "label_fraction = [0.05, 0.5]\nlabel_budget = 30")
    scenarios = load_board(write(tmp_path, text)).scenarios
    assert len(scenarios) == 8
    assert [scenario.label_fraction for scenario in scenarios] == [0.05] * 4 + [0.5] * 4
    assert scenario_text(scenarios[0]) == "none 1:1 labels 5 % budget 30"
    one = SMALL.replace('dataset = "digits"', "label_fraction = 0.1")
    assert {each.label_fraction for each in load_board(write(tmp_path, one)).scenarios} == {0.1}


def test_a_board_may_take_its_scenarios_from_a_suite_file(tmp_path):
    suite = SMALL.replace('weighters = ["a", "b[x=1,2]"]', "")
    write(tmp_path, suite, "conditions.toml")
    board = load_board(write(tmp_path, 'weighters = ["c"]\nsuite = "conditions.toml"\nseeds = [7]'))
    assert (len(board.scenarios), board.seeds) == (4, (7,))
    assert board.weighters == (board.reference,) == parse_selectors(["c"])
    assert load_suite(str(tmp_path / "conditions.toml")).seeds == (0, 1, 2)


def test_a_suite_may_not_name_a_suite(tmp_path):
    write(tmp_path, 'suite = "board.toml"', "other.toml")
    with pytest.raises(UsageError, match="names a suite itself"):
        load_board(write(tmp_path, 'weighters = ["c"]\nsuite = "other.toml"'))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('dataset = "digits"', 'datset = "digits"'), r"scenarios\[0\].datset: .*dataset"),
        (('["a", "b[x=1,2]"]', '["a[x]"]'), "weighters: 'a.x.': expected option=value"),
        (("seeds = 3", "seed = 3"), "seed: unknown key 'seed'; did you mean seeds"),
        (("seeds = 3", 'seeds = "three"'), "seeds: expected how many"),
        (("seeds = 3", "seeds = [1, 1]"), "stands there twice"),
        (("pair:0.3", "pair:much"), r"scenarios\[0\]: noise 'pair:much'"),
        (("step:5", "step:few"), r"scenarios\[0\]: imbalance 'step:few'"),
        (('dataset = "digits"', "dataset = 3"), r"scenarios\[0\].dataset: expected a text"),
        (('dataset = "digits"', "train_size = 0"), "train_size: expected a whole number"),
        (('dataset = "digits"', "label_fraction = 2"), "label_fraction: expected a number from 0"),
        (('dataset = "digits"', "recipe = {epochs = 'ten'}"), "recipe.epochs: expected a whole"),
        (('dataset = "digits"', "recipe = {epoch = 3}"), "recipe.epoch: unknown key"),
        (('dataset = "digits"', "recipe = {schedule = 'step'}"), "schedule: expected one of"),
        (('dataset = "digits"', "recipe = 3"), "recipe: expected a table"),
        (('dataset = "digits"', 'track = "T"'), "track 'T'"),
        (('["a", "b[x=1,2]"]', "[]"), "weighters: expected a list"),
        (("seeds = 3", 'seeds = 3\ncontrols = ["b[x=1,2]"]'), "controls: 'b.x=1.' is a weighter"),
        (("seeds = 3", 'seeds = 3\ncontrols = ["b[x=2]"]'), "controls: 'b.x=2.' is a weighter"),
        (("seeds = 3", 'seeds = 3\ncontrols = ["b[x=3,1]"]'), "controls: 'b.x=1.' is a weighter"),
        (("seeds = 3", 'seeds = 3\ncontrols = ["a"]'), "controls: 'a' is a weighter or the refer"),
        (("seeds = 3", 'seeds = 3\ncontrols = ["./x.py"]'), "controls: './x.py' is a file"),
        (("seeds = 3", "seeds = 3\ncontrols = []"), "controls: expected a list"),
        (('dataset = "digits"', "label_fraction = []"), "label_fraction: expected .*, or a"),
        (('dataset = "digits"', "label_fraction = nan"), "from 0 to 1, .*, got nan"),
        (('dataset = "digits"', "recipe = {learning_rate = inf}"), "recipe.learning_rate: .* 0 to"),
        (("seeds = 3", "seeds = 0"), "seeds: expected how many.*, got 0"),
        (("seeds = 3", ""), "seeds: expected how many"),
        (('weighters = ["a", "b[x=1,2]"]', ""), "weighters: expected a list"),
        (('dataset = "digits"', "label_fraction = [0.1, 2]"), "label_fraction: .* from 0 to 1"),
        (("seeds = 3", 'seeds = 3\nrule = "oracle"'), "rule: expected one of tail, last, last5"),
        (("seeds = 3", 'seeds = 3\nmetric = "ece"'), "metric: expected one of accuracy, balanced"),
        (
            ("seeds = 3", 'seeds = 3\nmetric = "cost_avoided"'),
            "costs: the metric cost",
        ),
        (
            ("seeds = 3", "seeds = 3\nmetric_options = {specificity = 2}"),
            "specificity: expect",
        ),
        (("seeds = 3", "seeds = 3\nmetric_options = {costs = [[0]]}"), "a mistake that costs"),
        (("seeds = 3", "seeds = 3\nmetric_options = {costs = [[0, 1]]}"), "a square table"),
        (("seeds = 3", "seeds = 3\nmetric_options = {costs = [[1]]}"), "0 on the diagonal"),
        (("seeds = 3", "seeds = 3\nmetric_options = {costs = [0]}"), "a list of rows of numbers"),
        (
            ("seeds = 3", "seeds = 3\nmetric_options = {cost = 1}"),
            "cost: unknown key",
        ),
        (("seeds = 3", "seeds ="), "not a TOML file"),
        (("[[scenarios]]", "[scenarios]"), r"expected at least one table headed \[\[scenarios\]\]"),
        (('"pair:0.3"', '"none"'), "stands there twice"),
    ],
)
def test_a_wrong_board_file_is_named_with_the_key(tmp_path, change, says):
    text = SMALL.replace(*change)
    if change[0] == '"pair:0.3"':
        text = SMALL + SMALL[SMALL.index("[[scenarios]]") :]
    assert text != SMALL
    with pytest.raises(UsageError, match=says) as caught:
        load_board(write(tmp_path, text))
    assert "board.toml" in str(caught.value)


def test_an_unknown_board_is_answered_with_the_nearest_names(tmp_path):
    write(tmp_path / "leaderboards" / "kidneys", SMALL)
    with pytest.raises(UsageError, match="did you mean kidneys"):
        load_board("kidney", tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        load_board("nowhere/board.toml", tmp_path)


def test_boards_are_found_by_name_and_by_path(tmp_path):
    write(tmp_path / "leaderboards" / "kidneys", SMALL)
    assert load_board("kidneys", tmp_path) == load_board("leaderboards/kidneys", tmp_path)
    assert board_folder("kidneys", tmp_path) == tmp_path / "leaderboards" / "kidneys"
    assert board_folder("quick", tmp_path) is None


def test_quick_is_the_grid_that_the_readme_promises():
    board = load_board("quick")
    assert [scenario_text(scenario) for scenario in board.scenarios] == [
        "none 1:1",
        "none 1:10",
        "symmetric:0.4 1:1",
        "symmetric:0.4 1:10",
    ]
    assert (len(board.seeds), len(board.weighters)) == (2, 3)
    assert board.controls == parse_selectors(["oracle-weights"])
    assert {scenario.recipe for scenario in board.scenarios} == {Recipe(epochs=6)}


@pytest.mark.parametrize(
    ("name", "cells", "epochs", "frozen"),
    [
        ("nuclei", 12, 30, ""),
        ("ham10000", 6, 30, ""),
        ("smear-real", 6, 30, ""),
        ("rbc12", 6, 30, ""),
        ("fashion-mnist-6k", 9, 8, "protocol 1"),
        ("fashion-mnist-gpu", 3, 5, "protocol 1"),
        ("relabelling", 6, 30, "protocol 1"),
        ("semi-supervised", 12, 10, "protocol 1"),
    ],
)
def test_the_committed_boards_load(name, cells, epochs, frozen):
    board = load_board(name, ROOT)
    assert len(board.scenarios) * len(board.seeds) == cells
    assert {scenario.recipe.epochs for scenario in board.scenarios} == {epochs}
    assert board.reference in board.weighters
    assert board.frozen == frozen


@pytest.mark.parametrize("key", ["weighters", "reference"])
def test_a_leaderboard_names_no_file(tmp_path, key):
    values = {"weighters": ["plain"], "reference": "plain"}
    values[key] = ["./x.py[gain=1]"] if key == "weighters" else "./x.py"
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    text = "\n".join([*lines, "seeds = 3", "[[scenarios]]", "imbalance = [1]"])
    (tmp_path / "board.toml").write_text(text)
    with pytest.raises(UsageError, match=rf"{key}: './x.py.*--plugin ./x.py"):
        load_board(str(tmp_path / "board.toml"))
    (tmp_path / "mine.toml").write_text(text)
    assert load_board(str(tmp_path / "mine.toml")).seeds == (0, 1, 2)


def test_a_grid_is_no_reference(tmp_path):
    text = 'weighters = ["plain"]\nreference = "plain[gain=1,2]"\nseeds = 3\n[[scenarios]]\n'
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=r"reference: .plain.* is a grid: give one value"):
        load_board(str(tmp_path / "mine.toml"))


def test_a_folder_called_like_a_built_in_board_is_ambiguous(tmp_path):
    write(tmp_path / "leaderboards" / "quick", SMALL)
    with pytest.raises(UsageError, match=r"'quick' is the name of a built-in board and of .*quick"):
        load_board("quick", tmp_path)
    assert load_board("leaderboards/quick", tmp_path).name == "quick"


def test_only_a_board_within_leaderboards_has_an_index(tmp_path):
    assert leaderboards_of(tmp_path / "leaderboards" / "mine") == tmp_path / "leaderboards"
    assert leaderboards_of(tmp_path / "mine") is None


def test_a_path_stands_in_an_error_once(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('weighters = ["erm"]\nseeds = 1\n[[scenarios]]\nnoise = 5\n')
    with pytest.raises(UsageError) as caught:
        load_board(str(path))
    assert str(caught.value).count(str(path)) == 1


def test_a_board_sets_up_its_metric(tmp_path):
    text = SMALL.replace(
        "seeds = 3",
        'seeds = 3\nmetric = "cost_avoided"\nmetric_options = {costs = [[0, 1], [5.5, 0]]}',
    )
    path = tmp_path / "board.toml"
    path.write_text(text)
    board = load_board(str(path))
    assert board.metric_options == {"costs": [[0.0, 1.0], [5.5, 0.0]]}
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(board))), Board) == board
