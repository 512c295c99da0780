"""Scores of one checkpoint's predictions, in float64.

torchmetrics computes the calibration error. The other scores do not come from it: its recalls are
single precision, which breaks exact ties between epochs; its correlation of a constant two-class
predictor is not 0; its areas tie what a saturated softmax ties and give 0 for one class; and one
sort serves both areas, at a tenth of the time. Tests compare all of them with scikit-learn.

torchmetrics takes seconds to import: the runner loads it in a thread while the first cell trains
(``preload``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.judging.ranking import Ranking

Logits = NDArray[np.floating]
"""Shape (rows, classes)."""


class Metric(ABC):
    """A score beyond those that every record holds; register it with ``register_metrics``."""

    name: ClassVar[str]
    version: ClassVar[str] = ""
    """What it computes: raise it when values change, and finished cells are scored again from
    their kept predictions. Empty: the hash of its module's code stands for it."""

    @abstractmethod
    def score(self, logits: Logits, labels: Labels) -> float:
        """Score one checkpoint's predictions; higher is better.

        Both arrays are read-only. What it raises, and a value that is no finite number, is told
        as the reason why this score has no value; the method has no part in it.
        """


@dataclass(frozen=True)
class Undefined:
    """What stands for a score that does not exist here."""

    reason: str


Score = float | list[float] | Undefined
Scores = Mapping[str, Score]

ONE_CLASS = Undefined("all images are of one class")


def preload() -> None:
    """Import torchmetrics."""
    import torchmetrics.functional.classification  # noqa: F401


def score(
    logits: Logits,
    labels: Labels,
    training_counts: Sequence[int],
) -> dict[str, Score]:
    """Score one checkpoint: metric -> value; ``recall_per_class`` is a list.

    ``training_counts`` are the images of each class that the methods train on: they say which
    class is the rarest.
    """
    return {
        **rankable_scores(logits, labels, training_counts),
        **further_scores(logits, labels),
    }


def rankable_scores(
    logits: Logits, labels: Labels, training_counts: Sequence[int]
) -> dict[str, Score]:
    """Give the scores that a board may rank by.

    A class without a row has no recall and no area; the rarest class is the one with fewest
    training images among those that have any, and rows. Several may share that place.
    """
    confusion = _confusion(logits.argmax(axis=1), labels, logits.shape[1])
    present = np.flatnonzero(confusion.sum(axis=1))
    odds = log_odds(logits)
    rankings = [Ranking.of(odds[:, c], labels == c) for c in present.tolist()]
    told = [ranking for ranking in rankings if ranking is not None]
    return {
        **_rankable_answers(confusion, training_counts),
        "macro_auroc": float(np.mean([one.auroc for one in told])) if told else ONE_CLASS,
        "macro_auprc": (
            float(np.mean([one.average_precision for one in told])) if told else ONE_CLASS
        ),
    }


def answer_scores(
    answers: Labels, labels: Labels, training_counts: Sequence[int]
) -> dict[str, Score]:
    """Give the scores that need no more than the class that each image was given."""
    confusion = _confusion(answers, labels, len(training_counts))
    return {**_rankable_answers(confusion, training_counts), **_further_answers(confusion)}


def further_scores(logits: Logits, labels: Labels) -> dict[str, Score]:
    """Give the scores that no board ranks by.

    The calibration error is class-wise: the mean over classes of the one-against-rest error in
    15 bins (Kull et al., NeurIPS 2019).
    """
    shares = probabilities(logits)
    one_hot = np.eye(logits.shape[1])[labels]
    return {
        **_further_answers(_confusion(logits.argmax(axis=1), labels, logits.shape[1])),
        "brier": float(((shares - one_hot) ** 2).sum(axis=1).mean()),
        "ece": _calibration_error(shares, labels),
    }


def probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the softmax of each row."""
    centred = logits.astype(np.float64)
    odds = np.exp(centred - centred.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def log_odds(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the log odds of each class against the rest, which order rows as probabilities do.

    They stay apart where probabilities have come to 0 or 1 (beyond a gap of 37).
    """
    rows = np.arange(len(logits))
    top = logits.argmax(axis=1)
    centred = logits.astype(np.float64)
    centred -= centred[rows, top][:, None]
    odds = np.exp(centred)
    # Without the largest one this would lose what is left of the rest to rounding.
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = centred - np.log(odds.sum(axis=1, keepdims=True) - odds)
    others = centred.copy()
    others[rows, top] = -np.inf
    second = others.max(axis=1)
    result[rows, top] = -(second + np.log(np.exp(others - second[:, None]).sum(axis=1)))
    return result


def _rankable_answers(
    confusion: NDArray[np.int64], training_counts: Sequence[int]
) -> dict[str, Score]:
    recalls = _recalls(confusion)
    found = np.diag(confusion)
    # A class that is neither there nor ever named has no F1.
    claimed = confusion.sum(axis=0) + confusion.sum(axis=1)
    named = claimed > 0
    return {
        "balanced_accuracy": float(np.nanmean(recalls)),
        "accuracy": float(found.sum() / confusion.sum()),
        "macro_f1": float((2 * found[named] / claimed[named]).mean()),
        "rarest_recall": _rarest_recall(recalls, np.asarray(training_counts)),
    }


def _further_answers(confusion: NDArray[np.int64]) -> dict[str, Score]:
    return {"mcc": _correlation(confusion), "recall_per_class": _recalls(confusion).tolist()}


def _confusion(answers: Labels, labels: Labels, num_classes: int) -> NDArray[np.int64]:
    """Count rows by class (first axis) and answer."""
    pairs = labels * num_classes + answers
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _recalls(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give each class's recall, NaN for a class without a row."""
    counts = confusion.sum(axis=1)
    recalls: NDArray[np.float64] = np.diag(confusion) / np.maximum(counts, 1)
    recalls[counts == 0] = np.nan
    return recalls


def _rarest_recall(recalls: NDArray[np.float64], counts: NDArray[np.int64]) -> Score:
    eligible = (counts > 0) & ~np.isnan(recalls)
    if not eligible.any():
        return Undefined("no class has both training images and images to be judged on")
    return float(recalls[eligible & (counts == counts[eligible].min())].mean())


def _correlation(confusion: NDArray[np.int64]) -> float:
    """Give Matthews' correlation (Gorodkin 2004); 0 where answers or labels do not vary."""
    total = float(confusion.sum())
    true, said = confusion.sum(axis=1) / total, confusion.sum(axis=0) / total
    spread = (1 - (true**2).sum()) * (1 - (said**2).sum())
    if np.count_nonzero(true) == 1 or np.count_nonzero(said) == 1:
        return 0.0
    return float((np.trace(confusion) / total - (true * said).sum()) / np.sqrt(spread))


def _calibration_error(shares: NDArray[np.float64], labels: Labels) -> float:
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    # torchmetrics would give a probability of exactly 1 a bin of its own behind the last one.
    inside = torch.from_numpy(np.minimum(shares, np.nextafter(1.0, 0.0)))
    target = torch.tensor(labels)  # a copy: labels are read-only, which torch warns of
    errors = [
        binary_calibration_error(inside[:, c].contiguous(), target.eq(c).long(), n_bins=15)
        for c in np.unique(labels).tolist()
    ]
    return float(np.mean([float(error) for error in errors]))
