from __future__ import annotations

import shutil

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from benchbase.boards.board import load_board
from benchbase.cli.leaderboard import leaderboard
from benchbase.leaderboard.predictions import check_predictions, commit_predictions
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from tests.unit.judged_records import judged_record
from tests.unit.made_records import CLEAN, make_board, make_record

BOARD = make_board(("plain", "clever"), [CLEAN], seeds=2)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "demo"


def committed(folder, records):
    store = Committed(folder)
    store.merge(records)
    return store.records()


def test_predictions_are_committed_when_the_seeds_of_a_method_are_complete(folder, home):
    first, second = (judged_record(home.path, seed) for seed in range(2))
    records = committed(folder, [first])
    assert commit_predictions(folder, BOARD, records, home) == []
    assert check_predictions(folder, BOARD, records).problems == ()
    records = committed(folder, [second])
    paths = commit_predictions(folder, BOARD, records, home)
    assert [path.name.partition("-")[0] for path in paths] == ["labels.npz", "plain"]
    checked = check_predictions(folder, BOARD, records)
    assert (checked.count, checked.problems) == (2, ())
    assert commit_predictions(folder, BOARD, records, home) == []


def test_a_failed_seed_completes_a_method_and_needs_no_predictions(folder, home):
    records = committed(folder, [judged_record(home.path), make_record(seed=1, status="oom")])
    assert commit_predictions(folder, BOARD, records, home)
    assert check_predictions(folder, BOARD, records).count == 1


def test_complete_seeds_without_predictions_are_told_once(folder, home):
    records = committed(folder, [judged_record(home.path, seed) for seed in range(2)])
    shutil.rmtree(home.path)
    assert commit_predictions(folder, BOARD, records, home) == []
    [problem] = check_predictions(folder, BOARD, records).problems
    assert problem.startswith("plain on nuclei none 1:1: predictions are missing")


def test_a_raised_score_is_told_with_its_method_and_seed(folder, home):
    records = committed(folder, [judged_record(home.path, seed) for seed in range(2)])
    commit_predictions(folder, BOARD, records, home)
    metrics = msgspec.structs.replace(records[0], metrics=records[0].metrics).metrics
    block = metrics["tail"]["accuracy"]
    metrics["tail"]["accuracy"] = msgspec.structs.replace(block, value=0.99)
    [problem] = check_predictions(folder, BOARD, records).problems
    where = f"plain on nuclei none 1:1, seed {records[0].spec.seed}: metrics.tail.accuracy"
    assert problem.startswith(where)


def test_a_damaged_file_and_lost_labels_are_told(folder, home):
    records = committed(folder, [judged_record(home.path, seed) for seed in range(2)])
    labels, answers = commit_predictions(folder, BOARD, records, home)
    labels.unlink()
    problems = check_predictions(folder, BOARD, records).problems
    assert [problem.endswith("no labels beside its predictions") for problem in problems] == [
        True,
        True,
    ]
    answers.write_bytes(b"garbage")
    problem = check_predictions(folder, BOARD, records).problems[0]
    assert "cannot be read as predictions" in problem


def test_a_board_that_ranks_by_areas_has_the_logits_of_all_checkpoints(folder, home):
    board = make_board(("plain",), [CLEAN], seeds=1, metric="macro_auroc")
    records = committed(folder, [judged_record(home.path)])
    _, answers = commit_predictions(folder, board, records, home)
    with np.load(answers, allow_pickle=False) as file:
        assert len(file["0.logits"]) == len(file["0.checkpoints"]) > 1


def test_the_command_checks_the_predictions_of_every_board(tmp_path, home, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(
        'weighters = ["plain"]\nseeds = 1\n[[scenarios]]\nimbalance = [1]\n'
    )
    board = load_board(str(folder))
    records = committed(folder, [judged_record(home.path)])
    labels, _ = commit_predictions(folder, board, records, home)

    def command(*arguments):
        return CliRunner().invoke(leaderboard, arguments, catch_exceptions=False)

    command()
    good = command("--check")
    assert good.exit_code == 0, good.output
    assert "1 records with their predictions" in good.output
    labels.unlink()
    bad = command("--check")
    assert bad.exit_code == 4
    assert "no labels beside its predictions" in bad.output
