"""Scores of predictions and diagnostics of weights, by torchmetrics.

torchmetrics takes seconds to import: functions import it when they are called, and the runner
loads it in a thread while the first cell trains (``preload``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.errors import PluginError

if TYPE_CHECKING:
    import torch

Logits = NDArray[np.float32]
"""Shape (rows, classes)."""

NEAR_ZERO = 0.1
"""A weight is near zero below this share of the mean weight."""


class Metric(ABC):
    """A score beyond those that every record holds; register it with ``register_metrics``."""

    name: ClassVar[str]

    @abstractmethod
    def score(self, logits: Logits, labels: Labels) -> float:
        """Score one checkpoint's predictions; higher is better."""


def preload() -> None:
    """Import torchmetrics."""
    import torchmetrics.functional.classification  # noqa: F401


def _tensors(logits: Logits, labels: Labels) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    return torch.from_numpy(logits).double().softmax(1), torch.from_numpy(labels)


def recall_per_class(logits: Logits, labels: Labels) -> NDArray[np.float64]:
    """Give each class's recall, NaN for a class without a row; shape (classes,)."""
    from torchmetrics.functional.classification import multiclass_recall

    num_classes = logits.shape[1]
    probabilities, target = _tensors(logits, labels)
    recalls = multiclass_recall(probabilities, target, num_classes=num_classes, average="none")
    present = np.bincount(labels, minlength=num_classes) > 0
    return np.where(present, recalls.double().numpy(), np.nan)


def balanced_accuracy(logits: Logits, labels: Labels) -> float:
    """Give the mean recall of the classes that have rows."""
    return float(np.nanmean(recall_per_class(logits, labels)))


def score(logits: Logits, labels: Labels, extra: tuple[Metric, ...] = ()) -> dict[str, Any]:
    """Score one checkpoint: metric -> value; ``recall_per_class`` is a list.

    The calibration error is class-wise: the mean over classes of the one-against-rest error in
    15 bins (Kull et al., NeurIPS 2019).
    """
    from torchmetrics.functional import classification as tm

    num_classes = logits.shape[1]
    probabilities, target = _tensors(logits, labels)
    recalls = recall_per_class(logits, labels)
    counts = np.bincount(labels, minlength=num_classes)
    rarest = np.flatnonzero(counts == counts[counts > 0].min())
    one_hot = np.eye(num_classes)[labels]
    shared = {"num_classes": num_classes}
    # One class against the rest; a class without a row has neither AUROC nor AUPRC.
    against_rest = [
        (probabilities[:, c].contiguous(), target.eq(c).long())
        for c in np.flatnonzero(counts).tolist()
    ]

    def mean(measure: Callable[..., torch.Tensor], **settings: int) -> float:
        return float(np.mean([float(measure(*pair, **settings)) for pair in against_rest]))

    values: dict[str, Any] = {
        "balanced_accuracy": float(np.nanmean(recalls)),
        "accuracy": float(tm.multiclass_accuracy(probabilities, target, average="micro", **shared)),
        "macro_f1": float(tm.multiclass_f1_score(probabilities, target, **shared)),
        "mcc": float(tm.multiclass_matthews_corrcoef(probabilities, target, **shared)),
        "macro_auroc": mean(tm.binary_auroc),
        "macro_auprc": mean(tm.binary_average_precision),
        "brier": float(((probabilities.numpy() - one_hot) ** 2).sum(1).mean()),
        "ece": mean(tm.binary_calibration_error, n_bins=15),
        "rarest_recall": float(np.nanmean(recalls[rarest])),
        "recall_per_class": recalls.tolist(),
    }
    return {**values, **{metric.name: _scored(metric, logits, labels) for metric in extra}}


def _scored(metric: Metric, logits: Logits, labels: Labels) -> float:
    try:
        return float(metric.score(logits, labels))
    except Exception as error:
        raise PluginError(f"metric {metric.name!r} raised {error!r}") from error


def weight_auroc(weights: NDArray[np.floating], right: NDArray[np.bool_]) -> float | None:
    """Give the AUROC of *weight* for *label is right*; None where one kind is absent."""
    from torchmetrics.functional.classification import binary_auroc

    seen = ~np.isnan(weights)
    if len(np.unique(right[seen])) < 2:
        return None
    return float(binary_auroc(*_ranked(weights[seen], right[seen])))


def _ranked(
    weights: NDArray[np.floating], right: NDArray[np.bool_]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give weights as ranks in [0, 1]: torchmetrics would squash others, and tie large ones."""
    import torch

    ranks = np.unique(weights, return_inverse=True)[1]
    return torch.from_numpy(ranks / max(ranks.max(), 1)), torch.from_numpy(right.astype(np.int64))


def diagnose_weights(
    weights: NDArray[np.floating], observed: Labels, true: Labels, num_classes: int
) -> dict[str, Any]:
    """Compare a method's last weight of each training row with the known noise mask.

    ``auroc_per_class`` is by observed class. ``effective_sample_size`` is Kish's, as a share of
    the rows. ``minority`` means the true classes with fewer than half the images of the most
    frequent one; figures about them are None where there are none.
    """
    from torchmetrics.functional.classification import binary_average_precision

    weights = weights.astype(np.float64)  # sums of large float32 weights would overflow
    seen = ~np.isnan(weights)
    right = observed == true
    counts = np.bincount(true, minlength=num_classes)
    minority = np.isin(true, np.flatnonzero(counts * 2 < counts.max())) & seen
    values = weights[seen]
    total, squares = values.sum(), (values**2).sum()
    auroc = weight_auroc(weights, right)
    auprc = None
    if auroc is not None:
        auprc = float(binary_average_precision(*_ranked(weights[seen], right[seen])))
    clean_minority = weights[minority & right]
    near_zero = NEAR_ZERO * values.mean() if len(values) else 0.0
    return {
        "auroc": auroc,
        "auprc": auprc,
        "auroc_per_class": [
            weight_auroc(weights[observed == c], right[observed == c]) for c in range(num_classes)
        ],
        "effective_sample_size": float(total**2 / squares / len(values)) if squares else 0.0,
        "minority_mass": float(weights[minority].sum() / total)
        if minority.any() and total
        else None,
        "clean_minority_near_zero": (
            float((clean_minority < near_zero).mean()) if len(clean_minority) else None
        ),
        "unseen": int((~seen).sum()),
    }
