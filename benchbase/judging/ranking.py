"""How well an order tells two kinds of rows apart: areas and points of its curves, in float64.

Only the order of the values counts, so that none is squashed or rounded; equal values are one
threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Ranking:
    """What is found and what is wrongly taken above each threshold, the highest one first."""

    hits: NDArray[np.int64]
    """Positive rows at or above each distinct value; 0 first, all of them last."""
    alarms: NDArray[np.int64]
    """Negative rows likewise."""

    @classmethod
    def of(cls, values: NDArray[np.floating], positive: NDArray[np.bool_]) -> Ranking | None:
        """Rank rows by value; None where one kind of row is absent."""
        if not 0 < np.count_nonzero(positive) < len(positive):
            return None
        order = np.argsort(-values)
        ordered = values[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        hits = np.append(0, np.cumsum(positive[order])[ends])
        alarms = np.append(0, ends + 1) - hits
        return cls(hits, alarms)

    @property
    def auroc(self) -> float:
        """Chance that a positive row is above a negative one; equal values count half."""
        area = np.trapezoid(self.hits, self.alarms)
        return float(area / (self.hits[-1] * self.alarms[-1]))

    @property
    def average_precision(self) -> float:
        """Mean precision over the positive rows, each at its own threshold."""
        precision = self.hits[1:] / (self.hits[1:] + self.alarms[1:])
        return float((np.diff(self.hits) * precision).sum() / self.hits[-1])

    def hit_rates(self, alarm_rates: NDArray[np.float64]) -> list[float]:
        """Give the ROC curve's height at these false-positive rates, on straight lines."""
        last = np.append(self.alarms[1:] != self.alarms[:-1], True)  # the top of each vertical
        heights: list[float] = np.interp(
            alarm_rates * self.alarms[-1], self.alarms[last], self.hits[last] / self.hits[-1]
        ).tolist()
        return heights

    def sensitivity(self, specificity: float) -> float:
        """Give the largest share of positives found while so many negatives are left alone."""
        allowed = (1 - specificity) * self.alarms[-1] + _ROUNDING
        return float(self.hits[self.alarms <= allowed].max() / self.hits[-1])
