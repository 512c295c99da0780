"""Rankings of labels: a score for each image, the higher the more its label is to be doubted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.suspects.noise import Noise

Scores = NDArray[np.float64]

ESTIMATED = "estimated noise"
CONFIDENT = "confident learning"
SELF_CONFIDENCE = "self-confidence"
AGREEMENT = "agreement"
LOSS = "training loss"
VARIANCE = "gradient variance"
EXPLAINED = {
    ESTIMATED: "probability that the label is wrong, out of fold, where it is known how images "
    "most surely of a class are labelled",
    CONFIDENT: "confidence in the given label, out of fold, against the mean of its class "
    "(cleanlab)",
    SELF_CONFIDENCE: "confidence in the given label, out of fold",
    AGREEMENT: "in how many epochs the networks out of fold named the given label",
    LOSS: "mean loss of a network while it trains on all labels",
    VARIANCE: "how much the image's gradient varies while a network trains on all labels",
}


def by_predictions(labels: Labels, snapshots: Scores, noise: Noise) -> dict[str, Scores]:
    """Rank by out-of-fold probabilities, shape (epochs, images, classes)."""
    from cleanlab.rank import get_label_quality_scores

    probabilities = snapshots.mean(axis=0)
    rows = np.arange(len(labels))
    doubt = 1 - probabilities[rows, labels]
    disagree = (snapshots.argmax(axis=2) != labels).mean(axis=0)
    return {
        ESTIMATED: noise.doubt,
        CONFIDENT: -get_label_quality_scores(labels, probabilities, adjust_pred_probs=True),
        SELF_CONFIDENCE: doubt,
        # Of equally many epochs, the less confident ones first.
        AGREEMENT: disagree + doubt / (len(snapshots) + 1),
    }


def ranks(scores: Scores) -> NDArray[np.int64]:
    """Give each image's place, 1 the most doubtful; images without a score come last."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    places = np.empty(len(scores), dtype=np.int64)
    places[order] = np.arange(1, len(scores) + 1)
    return places


def precision(scores: Scores, wrong: NDArray[np.bool_], places: Sequence[int]) -> list[float]:
    """Give the share of wrong labels among the first so many."""
    ordered = wrong[np.argsort(ranks(scores))]
    return [float(ordered[:count].mean()) for count in places]
