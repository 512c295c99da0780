"""Semi-supervised training: joint steps of labelled and unlabelled images, and the loss split.

The split is no part of the paper. It lets a semi-supervised method run where every image has a
label and some are wrong: labels that are not believed are hidden. It never sees the noise rate or
a true label. (Mixtures of losses: Arazo et al., ICML 2019; Li, Socher, Hoi, ICLR 2020.)
"""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Batch, Classifier, Task
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.descent import Descent
from benchbase.kit.elsewhere import RandomStreams, call_at
from benchbase.kit.loops import endless_positions, predict
from benchbase.kit.teacher import Teacher

TEACHER_DECAY = 0.99
PROJECTION = 128
"""Width of the space in which images are contrasted."""
LABELLED = 0.25
"""Share of a batch that is labelled."""
RAMP = 0.3
"""Share of the run until the unlabelled losses have their full strength."""
SPLIT_EVERY = 0.05
"""Share of the epochs between two splits; at least one."""
LOOKS = 3
"""A loss is the mean over this many epochs."""
LEAST_KEPT, LEAST_SHARE = 5, 0.1
"""Of every class at least so many labels, and this share of them, are believed."""
LEAST_SPREAD = 1e-3
"""In nats; classes whose losses differ by less are taken to differ by this."""


@dataclass(frozen=True)
class HiddenImages:
    """Images without labels: there is no field that could hold them."""

    pixels: UInt8[Tensor, "all channels height width"]
    rows: Int[Tensor, " count"]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Views:
    """Unlabelled images of a step, normalised, each seen twice."""

    images: Int[Tensor, " batch"]
    """Position of each among the hidden images."""
    weak: Float[Tensor, "batch channels height width"]
    strong: Float[Tensor, "batch channels height width"]


class Student(nn.Module):
    """A classifier, and a projection of its features to the unit sphere."""

    def __init__(self, network: Classifier, width: int) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, PROJECTION)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits (B, classes) and projections (B, 128)."""
        features = self.network.features(images)
        return self.network.head(features), F.normalize(self.projection(features))


@dataclass(frozen=True)
class JointStep:
    """A labelled batch and strong views after one forward pass and before the update."""

    student: Student
    labelled: Batch
    views: Views
    together: Float[Tensor, "both channels height width"]
    """The labelled images, then the strong views: batch norm is over both."""
    supervised_loss: Float[Tensor, ""]
    logits: Float[Tensor, "batch classes"]
    """Of the strong views, attached to the graph."""
    projections: Float[Tensor, "batch width"]
    """Of the strong views, attached to the graph."""
    lr: float
    number: int
    """Optimiser steps of the run before this one."""
    progress: float
    """Share of the ramp that is done; more than one after it."""
    streams: RandomStreams
    """Of before the forward pass."""

    def outputs_at(self, parameters: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Give logits and projections of the strong views under other parameters."""
        with self.streams.replayed():
            logits, projections = call_at(self.student, parameters, self.together)
        count = len(self.labelled.labels)
        return logits[count:], projections[count:]


Objective = Callable[[JointStep], tuple[Tensor, Tensor]]
"""Gives the loss of a step's unlabelled images, and the detached weight of each."""


class Training:
    """The state of a run: a student, its moving average, and the streams of its batches.

    A step back-propagates as many images as one of the recipe's batches, a quarter of them
    labelled (at least two), or fewer where there are not so many.
    """

    def __init__(self, task: Task, hidden: HiddenImages) -> None:
        self.task = task
        self.hidden = hidden
        self.student = _build_student(task)
        self._teacher = Teacher(self.student, TEACHER_DECAY)
        self.total_steps = task.recipe.epochs * task.steps_per_epoch
        self.labelled_size = max(2, int(LABELLED * task.recipe.batch_size))
        self.hidden_size = min(len(hidden), max(2, task.recipe.batch_size - self.labelled_size))
        self._descent = Descent(task, self.student, self.total_steps)
        self._steps = 0
        self._joint_steps = 0

    @property
    def averaged(self) -> Student:
        """The moving average of the student, in eval mode and without gradients."""
        model = self._teacher.model
        assert isinstance(model, Student)
        return model

    def views(self) -> Iterator[Views]:
        """Give batches of unlabelled images for ever, all of one size.

        Raises:
            ContractError: there are fewer than two.
        """
        if self.hidden_size < 2:
            raise ContractError(
                f"expected at least 2 images to use without labels, got {len(self.hidden)}: "
                "check what the scenario grants"
            )
        task = self.task
        weak, strong = task.rng("augment weakly"), task.rng("augment strongly")
        for images in endless_positions(task, len(self.hidden), "unlabelled", self.hidden_size):
            if len(images) == self.hidden_size:
                pixels = self.hidden.pixels[self.hidden.rows[images]].to(task.device)
                yield Views(
                    images,
                    weak=task.normalise(task.augment(pixels, weak)),
                    strong=task.normalise(task.augment_strongly(pixels, strong)),
                )

    def supervised_step(self, batch: Batch) -> Tensor:
        """Take a step of plain cross-entropy; give the detached loss."""
        logits, _ = self.student(batch.images)
        loss = F.cross_entropy(logits, batch.labels)
        self._update(loss, len(batch.labels))
        return loss.detach()

    def joint_step(
        self, labelled: Batch, views: Views, objective: Objective
    ) -> tuple[Tensor, Tensor]:
        """Take a step on labelled and unlabelled images; give loss and weights, detached."""
        self._descent.forget_gradients()  # before the objective, which may need the memory
        step = self.look(labelled, views)
        unlabelled_loss, weights = objective(step)
        loss = step.supervised_loss + unlabelled_loss
        self._update(loss, len(step.together))
        self._joint_steps += 1
        return loss.detach(), weights

    def look(self, labelled: Batch, views: Views) -> JointStep:
        """Run the student's forward pass."""
        streams = RandomStreams(self.task.device)
        together = torch.cat((labelled.images, views.strong))
        logits, projections = self.student(together)
        count = len(labelled.labels)
        return JointStep(
            student=self.student,
            labelled=labelled,
            views=views,
            together=together,
            supervised_loss=F.cross_entropy(logits[:count], labelled.labels),
            logits=logits[count:],
            projections=projections[count:],
            lr=self._descent.lr,
            number=self._steps,
            progress=self._joint_steps / (RAMP * self.total_steps),
            streams=streams,
        )

    def _update(self, loss: Tensor, images: int) -> None:
        self.task.meter.add(forwarded=images)
        self._descent.step(loss, backpropagated=images)
        self._teacher.update(self.student)
        self._steps += 1


def _build_student(task: Task) -> Student:
    network = task.build_model().eval()
    with torch.no_grad():
        row = task.train.rows[:1]
        width = network.features(task.normalise(task.train.pixels[row].to(task.device))).shape[1]
    with task.seeded("projection"):
        student = Student(network, width)
    return student.to(task.device).train()


class Tally:
    """Sums up an epoch on the device, so that no step has to wait for it."""

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(6, device=device)

    def add(self, loss: Tensor, weights: Tensor | None = None) -> None:
        """Take in a step's loss, and the weights of its unlabelled images."""
        one = torch.ones_like(loss)
        self._sums[:2] += torch.stack((loss, one))
        if weights is not None:
            faint = (weights < 0.1).sum()
            sums = (weights.sum(), weights.square().sum(), faint, one * len(weights))
            self._sums[2:] += torch.stack([value.to(loss) for value in sums])

    def notes(self) -> dict[str, float]:
        """Give the mean loss and what the weights were like; looks at the device once."""
        loss, steps, total, squares, faint, count = self._sums.tolist()
        found = {"loss": loss / steps}
        if count:
            found |= {
                "mean unlabelled weight": total / count,
                "effective share of unlabelled": total**2 / (squares * count) if squares else 0.0,
                "share of unlabelled weights below 0.1": faint / count,
            }
        return found


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
