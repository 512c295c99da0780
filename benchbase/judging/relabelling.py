"""Test scores against the number of labels bought: the levels of a run, and the area under them.

Plain Python on plain values, for records are checked here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchbase.cell import JSON

SCORES = ("balanced_accuracy", "accuracy", "macro_f1")
"""What is told at each level; the first one is primary."""


def finished_models(bought: Sequence[float]) -> dict[float, int]:
    """Give, for each number of labels bought, the last checkpoint that was judged at it.

    It is the finished model of its round: nothing is chosen by its score.
    """
    return {labels: checkpoint for checkpoint, labels in enumerate(bought)}


def describe_levels(levels: Sequence[float], scores: Sequence[Mapping[str, Any]]) -> JSON:
    """Give the block of a record: the levels, the scores at each, and the areas."""
    values = {name: [score[name] for score in scores] for name in SCORES}
    areas = {name: mean_height(levels, heights) for name, heights in values.items()}
    return {"labels_bought": [int(level) for level in levels], **values, "area": areas}


def mean_height(levels: Sequence[float], values: Sequence[float]) -> float | None:
    """Give the area under straight lines between the points, divided by the span of labels.

    None where there is one level only.
    """
    if len(levels) < 2:
        return None
    points = pairwise(zip(levels, values, strict=True))
    area = sum((right - left) * (low + high) / 2 for (left, low), (right, high) in points)
    return area / (levels[-1] - levels[0])
