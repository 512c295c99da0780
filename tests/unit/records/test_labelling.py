from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from benchbase.data.labels import DrawnLabels
from benchbase.records.committed import slim
from benchbase.records.committed_predictions import Truth
from benchbase.records.labelling import label_differences
from benchbase.records.predictions import read_predictions
from tests.unit.judged_records import judged_record


@pytest.fixture
def judged(tmp_path):
    """Give a record, its committed labels, and those that its data give."""
    record = judged_record(tmp_path)
    truth = Truth.of(read_predictions(record, tmp_path))
    test, seen, true = (np.asarray(each, dtype=np.int64) for each in vars(truth).values())
    corruption = msgspec.to_builtins(record.corruption)
    return slim(record), truth, DrawnLabels(record.spec.data, test, seen, true, corruption)


def test_labels_that_agree_are_not_told(judged):
    record, truth, drawn = judged
    assert [*label_differences(record, truth, drawn)] == []
    assert [*label_differences(record, truth, None)] == []
    assert [*label_differences(record, None, drawn)] == []


@pytest.mark.parametrize("part", ["test", "validation", "validation_true"])
def test_committed_labels_that_the_data_do_not_give_are_told(judged, part):
    record, truth, drawn = judged
    labels = getattr(drawn, part).copy()
    labels[3] = (labels[3] + 1) % 3
    [told] = label_differences(record, truth, dataclasses.replace(drawn, **{part: labels}))
    assert told == (
        f"the committed labels ({part.replace('_', ' ')}) are not those that the data give"
    )


def test_a_record_of_other_data_is_told(judged):
    record, _, drawn = judged
    identity = dataclasses.replace(drawn.identity, labels_hash="other", split_hash="other")
    [told] = label_differences(record, None, dataclasses.replace(drawn, identity=identity))
    assert told.endswith("than are here: split_hash, labels_hash of its key differ")


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("test_count", 41),
        ("validation_class_counts", [40, 0, 0]),
        ("validation_realised_rate", 0.25),
    ],
)
def test_what_a_record_says_of_its_labels_is_counted(judged, name, claimed):
    record, truth, _ = judged
    corruption = msgspec.structs.replace(record.corruption, **{name: claimed})
    forged = msgspec.structs.replace(record, corruption=corruption)
    [told] = label_differences(forged, truth, None)
    assert told.startswith(f"corruption.{name}: the record says {claimed}, its labels give ")


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("identifiable", False),
        ("transition", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("realised_rate", 0.0),
        ("class_counts", [1, 2, 3]),
        ("classes", ["x", "y", "z"]),
        ("leakage", {"images in train and test": 3}),
        ("test_verified", True),
    ],
)
def test_what_a_record_says_of_its_data_is_compared_with_them(judged, name, claimed):
    record, _, drawn = judged
    corruption = msgspec.structs.replace(record.corruption, **{name: claimed})
    forged = msgspec.structs.replace(record, corruption=corruption)
    [told] = label_differences(forged, None, drawn)
    assert told.startswith(f"corruption.{name}: the record says {claimed}, the data give ")
