"""What a child says is read into checked values, and what no honest child says fails its cell."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.errors import ContractError, DivergedError
from benchbase.judging.steps import Counted
from benchbase.running.messages import (
    LONGEST_REMARK,
    LONGEST_TEXT,
    MOST_NOTES,
    read_counted,
    read_failure,
    read_logits,
    read_notes,
    read_rows,
    read_spent,
    read_weights,
)

ERROR = {"type": "ValueError", "message": "no", "traceback": "..."}
COUNTED = {
    "updates": [3, 4],
    "judged": 4,
    "digest": "ab",
    "images_with_gradient": 12,
    "difference": None,
}


def test_a_failure_is_its_status_and_its_texts_cut_to_a_length():
    status, error = read_failure({"status": "oom", "error": {**ERROR, "message": "x" * 10**6}})
    assert (status, error["type"], len(error["message"])) == ("oom", "ValueError", LONGEST_TEXT)


@pytest.mark.parametrize(
    "message",
    [{}, {"status": "ok", "error": ERROR}, {"status": "error", "error": "no"},
     {"status": "error", "error": {**ERROR, "message": 1}}],
    ids=["nothing", "a status that no failure has", "no texts", "a text that is none"],
)  # fmt: skip
def test_a_failure_of_another_form_is_refused(message):
    with pytest.raises(ContractError, match="failed in an unknown way"):
        read_failure(message)


def test_notes_are_finite_numbers_by_name():
    assert read_notes({"notes": {"loss": 1, "rate": 0.5}}) == {"loss": 1.0, "rate": 0.5}


@pytest.mark.parametrize(
    "notes",
    [None, [1.0], {"loss": "low"}, {"loss": float("nan")}, {"right": True},
     {str(index): 0.0 for index in range(MOST_NOTES + 1)}],
    ids=["none", "a list", "a text", "not finite", "a truth value", "too many"],
)  # fmt: skip
def test_notes_of_another_form_are_refused(notes):
    with pytest.raises(ContractError, match="name -> finite number"):
        read_notes({"notes": notes})


def test_only_known_costs_are_taken():
    assert read_spent({"forwarded": 3, "type": "done", "rank": 1}) == {"forwarded": 3}


@pytest.mark.parametrize("count", [-1, 1.5, True, 1 << 63])
def test_a_cost_is_a_count(count):
    with pytest.raises(ContractError, match="counts of at least 0"):
        read_spent({"forwarded": count})


def test_counts_of_updates_are_read_and_remarks_cut_to_a_length():
    assert read_counted({"counted": COUNTED}) == Counted((3, 4), 4, "ab", 12, None)
    long = read_counted({"counted": {**COUNTED, "difference": "x" * 10**4, "digest": "y" * 99}})
    assert (len(long.difference), len(long.digest)) == (LONGEST_REMARK, 32)


@pytest.mark.parametrize(
    "counted",
    [None, {}, {**COUNTED, "judged": -1}, {**COUNTED, "updates": [-3]},
     {**COUNTED, "images_with_gradient": "many"}],
)  # fmt: skip
def test_counts_of_updates_of_another_form_are_refused(counted):
    with pytest.raises(ContractError, match="expected counts"):
        read_counted({"counted": counted})


def test_rows_are_those_of_the_training_images():
    assert read_rows({"rows": [0, 4]}, 5) == [0, 4]
    for rows in (None, [5], [-1], [True], [0.0]):
        with pytest.raises(ContractError, match="rows that do not exist"):
            read_rows({"rows": rows}, 5)


def test_logits_come_in_the_shape_that_was_asked_for():
    logits = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (read_logits({"shape": [3, 2]}, logits.tobytes(), 3, 2) == logits).all()
    for shape, blob in (([2, 3], logits.tobytes()), ([3, 2], logits.tobytes()[:-1])):
        with pytest.raises(ContractError, match=r"\(3 images, 2 classes\)"):
            read_logits({"shape": shape}, blob, 3, 2)


def test_weights_are_one_for_each_row_or_none_at_all():
    assert read_weights(b"", 3) is None
    seen = np.array([1.0, np.nan, 0.0], dtype=np.float32)
    assert np.array_equal(read_weights(seen.tobytes(), 3), seen, equal_nan=True)
    with pytest.raises(ContractError, match="expected 4 weights, got 3"):
        read_weights(seen.tobytes(), 4)
    with pytest.raises(DivergedError, match="infinite"):
        read_weights(np.array([np.inf], dtype=np.float32).tobytes(), 1)
