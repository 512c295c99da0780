"""Selection rules: which checkpoints a score is the mean of, chosen when the run is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON
from benchbase.judging.metrics import Score, Scores, Undefined
from benchbase.judging.statistics import balanced_accuracy_interval
from benchbase.judging.steps import LONGEST_TAIL

PRIMARY = "balanced_accuracy"
"""By which the rules choose the checkpoint of whatever no board ranks by."""
CHOSEN_ON = {
    "val_noisy": "validation_noisy",
    "val_clean": "validation_clean",
    "oracle": "test",
}
"""Rules that choose the best checkpoint -> on which part."""
_TIED = 1e-12
"""Scores nearer than this are equal: sums of the same counts in another order."""

Curve = Sequence[Score]


def fixed(count: int) -> dict[str, list[int]]:
    """Give the rules that look at the last checkpoints, however many an epoch has."""
    return {"last": [count - 1], "last5": list(range(max(0, count - LONGEST_TAIL), count))}


def best(curves: Mapping[str, Curve]) -> dict[str, int]:
    """Give the checkpoint that each choosing rule takes, by one metric's curves on the parts.

    The earliest on ties. ``val_noisy`` may be ranked; ``val_clean`` and ``oracle`` look at what
    nobody has in practice and are diagnostics. A rule is left out where the metric is undefined.
    """
    return {
        rule: _earliest_best(numbers)
        for rule, part in CHOSEN_ON.items()
        if (numbers := [each for each in curves[part] if isinstance(each, float)])
        and len(numbers) == len(curves[part])
    }


def _earliest_best(numbers: Sequence[float]) -> int:
    values = np.array(numbers)
    return int(np.argmax(values >= values.max() - _TIED))


def average(scores: Sequence[Scores], counts: NDArray[np.int64]) -> JSON:
    """Average the scores of several checkpoints: metric -> value, interval, why there is none.

    Only balanced accuracy has an interval, the analytic one of a mean of binomial recalls.
    """
    result = {name: mean([score[name] for score in scores]) for name in scores[0]}
    recalls = np.array([score["recall_per_class"] for score in scores]).mean(axis=0)
    present = counts > 0
    low, high = balanced_accuracy_interval(recalls[present], counts[present])
    result["balanced_accuracy"]["interval"] = [float(low), float(high)]
    return result


def mean(values: Sequence[Score]) -> JSON:
    """Give the block of one score: null with the reason where a checkpoint has none."""
    numbers: list[float | list[float]] = []
    for value in values:
        if isinstance(value, Undefined):
            return {"value": None, "interval": None, "reason": value.reason}
        numbers.append(value)
    value = _plain(np.mean(np.array(numbers), axis=0))
    if value is None:
        return {"value": None, "interval": None, "reason": "not a finite number"}
    return {"value": value, "interval": None}


def _plain(value: Any) -> Any:
    """Give plain JSON numbers, None for the recall of a class without a row."""
    if np.ndim(value):
        return [_plain(each) for each in value]
    return float(value) if np.isfinite(value) else None
