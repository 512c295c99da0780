from __future__ import annotations

import numpy as np
import pytest

from benchbase.errors import StoreError
from benchbase.records.committed_predictions import Answers, CommittedPredictions
from benchbase.records.home import Home
from benchbase.records.predictions import read_predictions
from tests.unit.judged_records import IMAGES, judged_record
from tests.unit.made_records import attempt_name


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def board(tmp_path):
    return tmp_path / "board"


def add(board, records, home, *, all_logits=False):
    return CommittedPredictions(board).add(records, home, all_logits=all_logits)


def test_answers_and_labels_come_back_as_the_cells_kept_them(home, board):
    records = [judged_record(home, seed) for seed in (1, 0)]
    add(board, records, home)
    for record in records:
        kept = read_predictions(record, home)
        answers = CommittedPredictions(board).answers(record)
        assert answers.checkpoints.tolist() == [*kept.checkpoints]
        assert answers.test.dtype == answers.validation.dtype == np.uint8
        assert np.array_equal(answers.test.T, kept.test_logits.argmax(axis=2))
        assert np.array_equal(answers.validation.T, kept.validation_logits.argmax(axis=2))
        assert np.array_equal(answers.logits, kept.test_logits[-1:])
        assert answers.logits.dtype == np.float16
        truth = CommittedPredictions(board).truth(record)
        assert np.array_equal(truth.test, kept.test_labels)
        assert np.array_equal(truth.validation, kept.validation_labels)
        assert np.array_equal(truth.validation_true, kept.validation_true)


def test_one_file_holds_a_method_and_scenario_and_one_its_labels(home, board):
    one, two, other = (
        judged_record(home, seed, weighter=name)
        for seed, name in ((0, "plain"), (1, "plain"), (0, "clever"))
    )
    paths = {*add(board, [one, two], home), *add(board, [other], home)}
    assert len(paths) == 3
    assert {path.parent.relative_to(board).as_posix() for path in paths} == {
        "predictions/nuclei-none-1-1"
    }
    names = sorted(path.name for path in paths)
    assert names[1] == "labels.npz"
    assert [name.rpartition("-")[0] for name in (names[0], names[2])] == ["clever", "plain"]
    assert paths == {*board.rglob("*.npz")}


def test_the_same_predictions_are_the_same_bytes_in_any_order(home, tmp_path):
    records = [judged_record(home, seed) for seed in range(3)]
    whole = add(tmp_path / "one", records, home)
    add(tmp_path / "two", records[2:], home)
    parts = add(tmp_path / "two", records[::-1], home)
    assert [path.read_bytes() for path in parts] == [path.read_bytes() for path in whole]


def test_what_is_there_is_left_alone_also_where_the_home_is_gone(home, board, tmp_path):
    records = [judged_record(home, seed) for seed in range(2)]
    assert add(board, records[:1], home)
    assert add(board, records[:1], tmp_path / "empty") == []
    assert add(board, records, tmp_path / "empty") == [], "all seeds or none"
    assert CommittedPredictions(board).answers(records[1]) is None


def test_another_attempt_at_the_cell_has_an_entry_of_its_own(home, board):
    record = judged_record(home)
    add(board, [record], home)
    again = judged_record(home, attempt=attempt_name(7))
    assert CommittedPredictions(board).answers(again) is None


def test_logits_of_all_checkpoints_are_kept_where_the_board_needs_them(home, board):
    record = judged_record(home)
    add(board, [record], home)
    add(board, [record], home, all_logits=True)
    answers = CommittedPredictions(board).answers(record)
    assert np.array_equal(answers.logits, read_predictions(record, home).test_logits)


def test_changed_predictions_of_a_home_are_not_committed(home, board):
    record = judged_record(home)
    path = Home(home).predictions(record.key, record.attempt)
    path.write_bytes(path.read_bytes() + b" ")
    assert add(board, [record], home) == []


def test_a_damaged_file_is_named(home, board):
    record = judged_record(home)
    for path in add(board, [record], home):
        path.write_bytes(b"garbage")
    with pytest.raises(StoreError, match=r"plain-.*\.npz: cannot be read as predictions"):
        CommittedPredictions(board).answers(record)
    with pytest.raises(StoreError, match=r"labels\.npz: cannot be read"):
        CommittedPredictions(board).truth(record)


def test_arrays_that_do_not_fit_together_are_refused():
    one, logits = np.zeros((IMAGES, 1), np.uint8), np.zeros((1, IMAGES, 3), np.float16)
    with pytest.raises(ValueError, match="answers of 2 checkpoints"):
        Answers(np.arange(2), one, one, logits)
    with pytest.raises(ValueError, match="logits of 1 to 1 checkpoints"):
        Answers(np.arange(1), one, one, logits[:0])
