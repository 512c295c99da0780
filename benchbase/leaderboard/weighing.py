"""What a method's sample weights were like: did they move, and do they find wrong labels?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchbase.leaderboard.table import Weighing
from benchbase.records.record import Record, Weights

_ALL_EQUAL = 1 - 1e-9
"""Effective sample size, as a share of the rows, above which all weights are the same."""


def weighing(records: Sequence[Record]) -> Weighing | None:
    """Average what the cells report; None where none reports any weights.

    An AUROC within an observed class is free of what overall mixes in: that a rare class's
    images, right or wrong, weigh more than a frequent one's.
    """
    told = [(record, record.weights) for record in records if record.weights is not None]
    if not told:
        return None
    telling = [(record, weights) for record, weights in told if not _equal(weights)]
    by_class: dict[str, list[float | None]] = {}
    for record, weights in telling:
        classes = record.corruption.classes if record.corruption else ()
        for name, value in zip(classes, weights.auroc_per_class, strict=False):
            by_class.setdefault(name, []).append(value)
    return Weighing(
        auroc=mean(weights.auroc for _, weights in telling),
        auroc_by_class={name: mean(values) for name, values in by_class.items()},
        effective_sample_size=mean(weights.effective_sample_size for _, weights in told),
        deviation=mean(weights.deviation for _, weights in told),
        clean_minority_near_zero=mean(weights.clean_minority_near_zero for _, weights in told),
        never_left_one=len(told) == len(records)
        and all(weights.never_left_one for _, weights in told),
    )


def _equal(weights: Weights) -> bool:
    """Tell whether all weights are the same, which says nothing about any label."""
    return weights.auroc == 0.5 and weights.effective_sample_size > _ALL_EQUAL


def mean(values: Iterable[float | None]) -> float | None:
    """Give the mean of the values that there are."""
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
