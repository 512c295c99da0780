"""What the out-of-fold predictions say of the noise: from which class to which labels go wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.data.noise import draw_classes
from benchbase.seeding import numpy_stream

Scores = NDArray[np.float64]

ANCHORS = 0.3
"""Share of a class's count whose images, those most surely of the class, show how it is labelled;
on blood smears with one-sided noise 0.2 and 0.3 find the same, on made-up images 0.2 is too few."""
FEWEST = 10
"""Anchors of a class."""
LEAST = 1e-4
"""Of a probability: a network is never quite sure."""
ROUNDS = 100


@dataclass(frozen=True)
class Noise:
    """What predictions suggest: how classes are labelled, and of which class each image is."""

    doubt: Scores
    """Probability that the label of an image is wrong; good for an order, too low as a number,
    for the images that show how a class is labelled are seldom mislabelled."""
    classes: Labels
    """The labels, with those changed that look most wrong: as many as are thought to be wrong."""
    joint: Scores
    """Share of images by true class (row) and label as given (column), by confident learning."""

    @property
    def rate(self) -> float:
        """Share of labels that are thought to be wrong."""
        return float(1 - np.trace(self.joint))


def suggest_noise(
    labels: Labels, probabilities: Scores, verified: NDArray[np.bool_] | None = None
) -> Noise:
    """Estimate the noise from the out-of-fold probabilities of the labels as given.

    How a class is labelled shows at its anchors, the images most surely of it. With that,
    P(label | image) is a mixture of the classes' ways to be labelled; its shares are
    P(class | image), by maximum likelihood, and Bayes' rule takes the label in. So a label that
    never goes wrong at anchors is believed where the network doubts it, and one that does is not.
    Nobody doubts labels that were ``verified``.
    """
    from cleanlab.count import estimate_joint

    seen = np.clip(probabilities, LEAST, 1)
    seen /= seen.sum(axis=1, keepdims=True)
    transition = _at_anchors(labels, seen)
    shares = seen.copy()
    for _ in range(ROUNDS):
        shares *= (seen / (shares @ transition)) @ transition.T
        shares /= shares.sum(axis=1, keepdims=True)
    posterior = shares * transition[:, labels].T + np.finfo(float).tiny
    posterior /= posterior.sum(axis=1, keepdims=True)
    joint: Scores = estimate_joint(labels, seen).T
    rows = np.arange(len(labels))
    doubt = 1 - posterior[rows, labels]
    wrong = round((1 - np.trace(joint)) * len(labels))
    if verified is not None:
        doubt[verified] = 0
        wrong = min(wrong, np.count_nonzero(~verified))
    changed = np.argsort(-doubt, kind="stable")[:wrong]
    posterior[rows, labels] = -1
    classes = labels.copy()
    classes[changed] = posterior[changed].argmax(axis=1)
    return Noise(doubt, classes, joint)


def _at_anchors(labels: Labels, probabilities: Scores) -> Scores:
    """Give P(label | true class) at the anchors of each class, rows summing to one."""
    classes = probabilities.shape[1]
    transition = np.empty((classes, classes))
    for label in range(classes):
        count = max(FEWEST, round(ANCHORS * np.count_nonzero(labels == label)))
        anchors = np.argsort(-probabilities[:, label], kind="stable")[:count]
        # A tenth of an image more of each label: what was not seen is rare, not impossible.
        transition[label] = np.bincount(labels[anchors], minlength=classes) + 0.1
    transition /= transition.sum(axis=1, keepdims=True)
    return transition


def inject(noise: Noise, verified: NDArray[np.bool_] | None = None) -> Labels:
    """Draw labels anew: as if the suggested classes were true, with the suggested noise.

    Those that were ``verified`` stay.
    """
    chances = noise.joint / noise.joint.sum(axis=1, keepdims=True)
    drawn = draw_classes(chances[noise.classes], numpy_stream(0, "suspects", "injected"))
    return drawn if verified is None else np.where(verified, noise.classes, drawn)
