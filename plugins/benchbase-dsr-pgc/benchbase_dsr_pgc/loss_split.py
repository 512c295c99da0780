"""The loss split, which lets a semi-supervised method run where labels are wrong.

It is no part of the paper: every image has a label and some are wrong; labels that are not
believed are hidden. It never sees the noise rate or a true label. (Mixtures of losses: Arazo et
al., ICML 2019; Li, Socher, Hoi, ICLR 2020.)
"""

from __future__ import annotations

import math
import warnings
from collections import deque

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import Classifier, Task
from benchbase.errors import DivergedError
from benchbase.kit.loops import predict

SPLIT_EVERY = 0.05
"""Share of the epochs between two splits; at least one."""
LOOKS = 3
"""A loss is the mean over this many epochs."""
LEAST_KEPT, LEAST_SHARE = 5, 0.1
"""Of every class at least so many labels, and this share of them, are believed."""
LEAST_SPREAD = 1e-3
"""In nats; classes whose losses differ by less are taken to differ by this."""


class LossSplit:
    """Watches the losses of the given labels from epoch to epoch and says which to believe."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._recent: deque[Tensor] = deque(maxlen=LOOKS)
        self._seed = int(torch.randint(2**31, (), generator=task.rng("loss split")))

    def look(self, network: Classifier) -> None:
        """Note the cross-entropy of every given label, on images that are not augmented."""
        _, logits = predict(self._task, network, self._task.train)
        labels = self._task.train.labels.to(logits.device)
        self._recent.append(F.cross_entropy(logits, labels, reduction="none"))

    def believed(self) -> Bool[Tensor, " rows"]:
        """Split by the mean of the last looks.

        Raises:
            DivergedError: a loss is not finite.
        """
        losses = torch.stack(tuple(self._recent)).mean(0).cpu().numpy()
        if not np.isfinite(losses).all():
            raise DivergedError(
                "the averaged network's losses are not finite: lower the learning rate"
            )
        mask = believable(losses, self._task.train.labels.cpu().numpy(), self._seed)
        return torch.from_numpy(mask).to(self._task.device)


def believable(
    losses: Float[np.ndarray, " rows"], labels: Int[np.ndarray, " rows"], seed: int
) -> Bool[np.ndarray, " rows"]:
    """Tell which labels are likelier right than wrong.

    A label is believed if its loss, standardised within its class, is likelier to come from the
    lower of two Gaussians; all are where one Gaussian describes the losses better (by BIC). Of
    each class at least the five labels and the tenth with the lowest losses are believed.
    """
    mask = probability_right(standardise(losses, labels), seed) > 0.5
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        least = max(LEAST_KEPT, math.ceil(LEAST_SHARE * len(members)))
        mask[members[np.argsort(losses[members], kind="stable")[:least]]] = True
    return mask


def standardise(
    losses: Float[np.ndarray, " rows"], labels: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """Centre and scale losses within each given class, by median and median absolute deviation.

    Else a rare class, whose losses are all high, would be called wrong as a whole.
    """
    result = np.empty(len(losses), dtype=np.float64)
    for label in np.unique(labels):
        own = losses[labels == label].astype(np.float64)
        distances = own - np.median(own)
        result[labels == label] = distances / max(np.median(np.abs(distances)), LEAST_SPREAD)
    return result


def probability_right(values: Float[np.ndarray, " rows"], seed: int) -> Float[np.ndarray, " rows"]:
    """Give each value's probability to come from the lower of two Gaussians, or 1 for one."""
    column: NDArray[np.float64] = values.reshape(-1, 1)
    if len(np.unique(values)) < 2:
        return np.ones(len(values))
    one, two = (GaussianMixture(count, random_state=seed) for count in (1, 2))
    with warnings.catch_warnings():
        # An unfinished fit still says which of the two is likelier.
        warnings.simplefilter("ignore", ConvergenceWarning)
        one.fit(column)
        two.fit(column)
    if one.bic(column) <= two.bic(column):
        return np.ones(len(values))
    probabilities: NDArray[np.float64] = two.predict_proba(column)[:, two.means_.argmin()]
    return probabilities
