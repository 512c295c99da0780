"""Semi-supervised training: joint steps of labelled and unlabelled images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Batch, Classifier, Task
from benchbase.errors import ContractError
from benchbase.kit.descent import Descent
from benchbase.kit.elsewhere import RandomStreams, call_at
from benchbase.kit.loops import endless_positions
from benchbase.kit.teacher import Teacher

TEACHER_DECAY = 0.99
PROJECTION = 128
"""Width of the space in which images are contrasted."""
LABELLED = 0.25
"""Share of a batch that is labelled."""
RAMP = 0.3
"""Share of the run until the unlabelled losses have their full strength."""


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
        return _HiddenBatches(self.task, self.hidden, self.hidden_size)

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


class _HiddenBatches(Iterator[Views]):
    """An object, and no generator function, so that a run can be put back where it was."""

    def __init__(self, task: Task, hidden: HiddenImages, size: int) -> None:
        self._task = task
        self._hidden = hidden
        self._size = size
        self._weak, self._strong = task.rng("augment weakly"), task.rng("augment strongly")
        self._positions = endless_positions(task, len(hidden), "unlabelled", size)

    def __next__(self) -> Views:
        images = next(each for each in self._positions if len(each) == self._size)
        task = self._task
        rows = self._hidden.rows[images.to(self._hidden.rows.device)]
        pixels = self._hidden.pixels[rows].to(task.device)
        return Views(
            images,
            weak=task.normalise(task.augment(pixels, self._weak)),
            strong=task.normalise(task.augment_strongly(pixels, self._strong)),
        )


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
