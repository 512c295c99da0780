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
    meaning: str
    low: float = 0.0
    high: float = 1.0
    ranks: bool = False
    """Whether a board may rank by it, and each rule chooses a checkpoint by it."""
    lower_is_better: bool = False
    needs_logits: bool = False
    """Whether the answers alone, the class of each image, do not give it."""
    set_up: str = ""
    """What a board's ``metric_options`` say so that there is one; empty: every record has it."""

    @property
    def reading(self) -> str:
        """Say its range and which end is good: ``0 to 1, higher is better``."""
        ends = (
            f"{self.low:g} or more" if math.isinf(self.high) else f"{self.low:g} to {self.high:g}"
        )
        return f"{ends}, {'lower' if self.lower_is_better else 'higher'} is better"


_COSTS = "costs = [[0, 1], [10, 0]]"

SCALES: Mapping[str, Scale] = {
    "accuracy": Scale("accuracy", "Share of right answers.", ranks=True),
    "balanced_accuracy": Scale("balanced accuracy", "Mean recall of the classes.", ranks=True),
    "macro_f1": Scale("macro F1", "Mean F1 of the classes.", ranks=True),
    "mcc": Scale("MCC", "Matthews' correlation; 0 for an answer that never varies.", low=-1.0),
    "macro_auroc": Scale(
        "macro AUROC",
        "Mean area under the ROC curves, class against rest.",
        ranks=True,
        needs_logits=True,
    ),
    "macro_auprc": Scale(
        "macro AUPRC",
        "Mean average precision, class against rest.",
        ranks=True,
        needs_logits=True,
    ),
    "rarest_recall": Scale(
        "recall of the rarest class", "Recall of the class of fewest training images.", ranks=True
    ),
    "brier": Scale(
        "Brier score",
        "Squared distance of probabilities from the truth.",
        high=2.0,
        lower_is_better=True,
        needs_logits=True,
    ),
    "ece": Scale(
        "calibration error",
        "Gap between probability and frequency, by class.",
        lower_is_better=True,
        needs_logits=True,
    ),
    "sensitivity": Scale(
        "sensitivity at fixed specificity",
        "Share of the second class found, at a set specificity.",
        ranks=True,
        needs_logits=True,
        set_up="specificity = 0.9",
    ),
    "cost_avoided": Scale(
        "cost avoided",
        "1 minus the cost over that of the dearest answers.",
        ranks=True,
        set_up=_COSTS,
    ),
    "expected_cost": Scale(
        "expected cost",
        "Mean cost of an answer, in units of one's own.",
        high=math.inf,
        lower_is_better=True,
        set_up=_COSTS,
    ),
}
"""In the order in which they are printed."""
RANKABLE = tuple(name for name, scale in SCALES.items() if scale.ranks)
