"""Compares the weights that a method reports with the known noise mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.judging.ranking import Ranking

NEAR_ZERO = 0.1
"""A weight is near zero below this share of the mean weight."""
FALSE_POSITIVE_RATES = tuple(step / 32 for step in range(33))
"""Where the ROC curve of *weight* for *label is right* is told."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def weight_auroc(weights: NDArray[np.floating], right: NDArray[np.bool_]) -> float | None:
    """Give the AUROC of *weight* for *label is right*; None where one kind is absent."""
    ranking = _ranking(weights, right)
    return None if ranking is None else ranking.auroc


def diagnose_weights(
    weights: NDArray[np.floating], observed: Labels, true: Labels, num_classes: int
) -> dict[str, Any]:
    """Compare a method's last weight of each training row with the known noise mask.

    What is told by class is by observed class. ``effective_sample_size`` is Kish's, as a share of
    the rows. ``deviation`` and ``quantiles`` are those of the weights divided by their mean.
    ``minority`` means the true classes with fewer than half the images of the most frequent one;
    figures about them are None where there are none.
    """
    weights = weights.astype(np.float64)  # sums of large float32 weights would overflow
    seen = ~np.isnan(weights)
    right = observed == true
    counts = np.bincount(true, minlength=num_classes)
    minority = np.isin(true, np.flatnonzero(counts * 2 < counts.max())) & seen
    values = weights[seen]
    total, squares = values.sum(), (values**2).sum()
    overall = _ranking(weights, right)
    by_class = [_ranking(weights[observed == c], right[observed == c]) for c in range(num_classes)]
    clean_minority = weights[minority & right]
    near_zero = NEAR_ZERO * values.mean() if len(values) else 0.0
    relative = values / values.mean() if total else None
    return {
        "auroc": None if overall is None else overall.auroc,
        "auprc": None if overall is None else overall.average_precision,
        "auroc_per_class": [None if each is None else each.auroc for each in by_class],
        "roc": _roc(overall),
        "roc_per_class": [_roc(each) for each in by_class],
        "effective_sample_size": float(total**2 / squares / len(values)) if squares else 0.0,
        "deviation": None if relative is None else _six(relative.std()),
        "quantiles": None
        if relative is None
        else [_six(each) for each in np.quantile(relative, QUANTILES)],
        "minority_mass": float(weights[minority].sum() / total)
        if minority.any() and total
        else None,
        "clean_minority_near_zero": (
            float((clean_minority < near_zero).mean()) if len(clean_minority) else None
        ),
        "unseen": int((~seen).sum()),
    }


def _ranking(weights: NDArray[np.floating], right: NDArray[np.bool_]) -> Ranking | None:
    seen = ~np.isnan(weights)
    return Ranking.of(weights[seen], right[seen])


def _roc(ranking: Ranking | None) -> list[float] | None:
    """Give the heights of the ROC curve at ``FALSE_POSITIVE_RATES``."""
    if ranking is None:
        return None
    return [round(rate, 4) for rate in ranking.hit_rates(np.array(FALSE_POSITIVE_RATES))]


def _six(value: float) -> float:
    return float(f"{value:.6g}")
