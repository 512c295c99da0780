from __future__ import annotations

import numpy as np
import pytest

from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.predictions import commit_predictions
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
    assert commit_predictions(folder, BOARD, choose(BOARD, records), home) == []
    records = committed(folder, [second])
    paths = commit_predictions(folder, BOARD, choose(BOARD, records), home)
    assert [path.name.partition("-")[0] for path in paths] == ["labels.npz", "plain"]
    assert commit_predictions(folder, BOARD, choose(BOARD, records), home) == []


def test_a_failed_seed_completes_a_method_and_needs_no_predictions(folder, home):
    records = committed(folder, [judged_record(home.path), make_record(seed=1, status="oom")])
    assert len(commit_predictions(folder, BOARD, choose(BOARD, records), home)) == 2


def test_a_board_that_ranks_by_areas_has_the_logits_of_all_checkpoints(folder, home):
    board = make_board(("plain",), [CLEAN], seeds=1, metric="macro_auroc")
    records = committed(folder, [judged_record(home.path)])
    _, answers = commit_predictions(folder, board, choose(board, records), home)
    with np.load(answers, allow_pickle=False) as file:
        assert len(file["0.logits"]) == len(file["0.checkpoints"]) > 1
