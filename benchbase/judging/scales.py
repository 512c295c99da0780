"""What benchbase's own scores mean: their words, their range, which of them may rank.

Everyone who names, bounds or ranks a score asks here. Whatever may rank is better when higher and
never below 0, which is what a failed cell scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How to read one score."""

    words: str
    low: float = 0.0
    high: float = 1.0
    ranks: bool = False
    """Whether a board may rank by it, and each rule chooses a checkpoint by it."""
    lower_is_better: bool = False
    needs_logits: bool = False
    """Whether the answers alone, the class of each image, do not give it."""


SCALES: Mapping[str, Scale] = {
    "accuracy": Scale("accuracy", ranks=True),
    "balanced_accuracy": Scale("balanced accuracy", ranks=True),
    "macro_f1": Scale("macro F1", ranks=True),
    "mcc": Scale("MCC", low=-1.0),
    "macro_auroc": Scale("macro AUROC", ranks=True, needs_logits=True),
    "macro_auprc": Scale("macro AUPRC", ranks=True, needs_logits=True),
    "rarest_recall": Scale("recall of the rarest class", ranks=True),
    "brier": Scale("Brier score", high=2.0, lower_is_better=True, needs_logits=True),
    "ece": Scale("calibration error", lower_is_better=True, needs_logits=True),
    "sensitivity": Scale("sensitivity at fixed specificity", ranks=True, needs_logits=True),
    "cost_avoided": Scale("cost avoided", ranks=True),
    "expected_cost": Scale("expected cost", high=math.inf, lower_is_better=True),
}
"""In the order in which they are printed."""
RANKABLE = tuple(name for name, scale in SCALES.items() if scale.ranks)
