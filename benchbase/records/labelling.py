"""Compares the labels that a record was judged by with what it says of its data, and with these."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from benchbase.data.corruption import count_classes, share_wrong
from benchbase.data.labels import DrawnLabels
from benchbase.records.committed import rounded
from benchbase.records.committed_predictions import Truth
from benchbase.records.record import Record

_ROUNDING = 5.1e-5
"""Committed shares keep four decimals."""


def label_differences(
    record: Record, truth: Truth | None, drawn: DrawnLabels | None
) -> Iterator[str]:
    """Say where a record, its committed labels and its data contradict each other.

    ``truth`` is what is committed of them, ``drawn`` what the data give; None where there is none.
    """
    if drawn is not None:
        yield from _identity(record, drawn)
        yield from _corruption(record, drawn)
    if truth is None:
        return
    yield from _counts(record, truth)
    if drawn is not None:
        for field in dataclasses.fields(truth):
            if not np.array_equal(getattr(truth, field.name), getattr(drawn, field.name)):
                words = field.name.replace("_", " ")
                yield f"the committed labels ({words}) are not those that the data give"


def _identity(record: Record, drawn: DrawnLabels) -> Iterator[str]:
    told, found = record.spec.data, drawn.identity
    differing = [
        field.name
        for field in dataclasses.fields(found)
        if getattr(told, field.name) != getattr(found, field.name)
    ]
    if differing:
        yield f"it is of other data than are here: {', '.join(differing)} of its key differ"


def _corruption(record: Record, drawn: DrawnLabels) -> Iterator[str]:
    """Compare what a record says of its data with these."""
    if record.corruption is None:
        return
    for name, given in drawn.corruption.items():
        told = getattr(record.corruption, name)
        if rounded(told) != rounded(given):
            yield f"corruption.{name}: the record says {told}, the data give {given}"


def _counts(record: Record, truth: Truth) -> Iterator[str]:
    if record.corruption is None:
        return
    told = record.corruption
    given = truth.validation_true.astype(np.int64)
    wrong = share_wrong(given, truth.validation.astype(np.int64))
    counts = count_classes(given, len(told.validation_class_counts))
    claims = {
        "test_count": (told.test_count, len(truth.test)),
        "validation_class_counts": (told.validation_class_counts, counts),
    }
    for name, (claimed, counted) in claims.items():
        if claimed != counted:
            yield f"corruption.{name}: the record says {claimed}, its labels give {counted}"
    if abs(told.validation_realised_rate - wrong) > _ROUNDING:
        yield (
            f"corruption.validation_realised_rate: the record says "
            f"{told.validation_realised_rate}, its labels give {wrong}"
        )
