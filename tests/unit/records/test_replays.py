from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from benchbase.errors import StoreError
from benchbase.records.committed import slim
from benchbase.records.committed_predictions import Answers
from benchbase.records.predictions import read_predictions
from benchbase.records.replays import (
    Replay,
    add_replays,
    judge_replay,
    read_replays,
    same_bits,
    surroundings_differ,
)
from tests.unit.judged_records import judged_record
from tests.unit.made_records import changed, make_record


def judged(record, today, *, equal=False, replayed=0.8, tolerance=0.01):
    return judge_replay(
        record, today, equal=equal, scores=(0.8, replayed), tolerance=tolerance, by="me"
    )


def elsewhere(record):
    return changed(record, "numerics", cpu_capability="AVX512")


def test_the_same_surroundings_owe_the_same_bits():
    record = make_record()
    assert judged(record, record, equal=True).outcome == "bit for bit"
    other = judged(record, record, replayed=0.8 + 1e-9)
    assert (other.outcome, other.holds) == ("other bits", False)


@pytest.mark.parametrize(
    ("replayed", "outcome", "holds"),
    [(0.81, "within the seed spread", True), (0.785, "beyond the seed spread", False)],
)
def test_elsewhere_the_score_must_lie_within_the_spread(replayed, outcome, holds):
    record = make_record()
    found = judged(record, elsewhere(record), replayed=replayed, tolerance=0.011)
    assert (found.outcome, found.holds) == (outcome, holds)
    assert found.differing == ["CPU capability AVX2, here AVX512"]


def test_a_cell_that_fails_now_is_not_borne_out():
    found = judged(make_record(), make_record(status="oom"), replayed=None)
    assert (found.outcome, found.holds) == ("did not finish", False)


def test_every_version_counts_among_the_surroundings():
    record = make_record()
    one, other = (
        changed(record, "provenance", versions={"torch": torch, "numpy": "2.4"})
        for torch in ("2.15.0", "2.15.1")
    )
    assert surroundings_differ(one, other) == ["torch 2.15.0, here 2.15.1"]


def test_equal_attempts_are_equal_in_committed_form_too(tmp_path):
    record = judged_record(tmp_path)
    answers = Answers.of(read_predictions(record, tmp_path), all_logits=True)
    last = dataclasses.replace(answers, logits=answers.logits[-1:])
    assert same_bits(slim(record), record, last, answers)
    assert same_bits(slim(record), record, None, answers)


def test_what_a_data_set_says_of_itself_is_no_bit():
    record = make_record()
    said = changed(record, "corruption", card={"licence": "CC0"})
    assert same_bits(record, said, None, None)
    assert not same_bits(record, changed(said, "corruption", realised_rate=0.123), None, None)


def test_one_other_bit_is_told(tmp_path):
    record = judged_record(tmp_path)
    answers = Answers.of(read_predictions(record, tmp_path), all_logits=True)
    logits = answers.logits.copy()
    logits[-1, 0, 0] = np.nextafter(logits[-1, 0, 0], np.float16(-100))
    assert not same_bits(record, record, answers, dataclasses.replace(answers, logits=logits))
    value = record.metrics["tail"]["mcc"].value
    metrics = msgspec.json.decode(msgspec.json.encode(record.metrics), type=type(record.metrics))
    metrics = {rule: {**scores} for rule, scores in metrics.items()}
    metrics["tail"]["mcc"] = msgspec.structs.replace(
        record.metrics["tail"]["mcc"], value=float(np.nextafter(value, 1))
    )
    other = msgspec.structs.replace(record, metrics=metrics)
    assert not same_bits(record, other, answers, answers)


def test_lines_are_added_and_never_altered(tmp_path):
    record = make_record()
    assert read_replays(tmp_path) == []
    path = add_replays(tmp_path, [judged(record, record, equal=True)])
    before = path.read_bytes()
    add_replays(tmp_path, [judged(record, elsewhere(record))])
    assert path.read_bytes().startswith(before)
    assert [one.outcome for one in read_replays(tmp_path)] == [
        "bit for bit",
        "within the seed spread",
    ]
    assert all(isinstance(one, Replay) for one in read_replays(tmp_path))


def test_a_damaged_line_is_named_with_its_number(tmp_path):
    path = add_replays(tmp_path, [judged(make_record(), make_record(), equal=True)])
    path.write_text(path.read_text() + '{"key": 3}\n')
    with pytest.raises(StoreError, match=r"replays.jsonl, line 2: not a replay .*restore"):
        read_replays(tmp_path)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ('"replayed":0.9', "'bit for bit' does not follow from 0.8 recorded, 0.9 replayed"),
        ('"outcome":"within the seed spread"', "does not follow .* and 0 things that differ"),
        ('"outcome":"beyond the seed spread"', "does not follow"),
        ('"outcome":"bit by bit"', "Invalid enum value"),
        ('"by":""', "expected who replayed"),
        ('"tolerance":-1', "expected 0 or more"),
        ('"schema":"benchbase-replay-9"', "Invalid enum value"),
        ('"unheard":1', "unknown field"),
    ],
)
def test_a_line_that_contradicts_itself_is_refused(tmp_path, field, told):
    path = add_replays(tmp_path, [judged(make_record(), make_record(), equal=True)])
    name = field.split(":")[0]
    parts = [part for part in path.read_text().strip("{}\n").split(",") if name not in part]
    path.write_text("{" + ",".join([*parts, field]) + "}\n")
    with pytest.raises(StoreError, match=f"line 1: not a replay .*{told}"):
        read_replays(tmp_path)
