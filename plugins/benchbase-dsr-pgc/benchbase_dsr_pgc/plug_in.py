"""The entropy weights of DSR as a plug-in for supervised training, alone and corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import Batch, Honesty, LossWeighter, Meter, Need, Step, Task, option
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.loops import endless_batches
from benchbase.kit.teacher import Teacher
from benchbase_dsr_pgc.losses import CORRECTED_FROM, ENTROPY_FORMS, PAPER, Offsets, entropy_weights
from benchbase_dsr_pgc.training import TEACHER_DECAY


@dataclass(frozen=True)
class DSR(LossWeighter):
    """The entropy weights of DSR as a plug-in: cross-entropy on all given labels, weighted.

    A weight is the sureness of the moving average of the network about the image, of mean one in
    the batch. It does not look at the given label: where the network disagrees with a wrong label
    and is sure, the weight is high. The paper weighs unlabelled images only.
    """

    name: ClassVar[str] = "dsr"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = PAPER
    weight: str = option(
        "one-minus-entropy", "1 - H / ln C or exp(-H) of the prediction", choices=ENTROPY_FORMS
    )

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Start without a teacher: the first step's network becomes it."""
        sureness = self._sureness(task.meter)
        return lambda step: mean_one(sureness(step))

    def _sureness(self, meter: Meter) -> Callable[[Step], Tensor]:
        teacher: Teacher | None = None

        def sureness(step: Step) -> Tensor:
            nonlocal teacher
            if teacher is None:
                teacher = Teacher(step.model, TEACHER_DECAY)
            else:
                teacher.update(step.model)
            with torch.no_grad():
                logits = teacher.model(step.batch.images)
            meter.add(forwarded=len(logits))
            return entropy_weights(F.softmax(logits, 1), self.weight)

        return sureness


@dataclass(frozen=True)
class DSRCorrected(DSR):
    """The weights of ``dsr``, corrected by trusted images as in ``dsr-pgc``."""

    name: ClassVar[str] = "dsr-corrected"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED})
    beta: float = option(0.1, "largest correction of a weight in one step", min=0)
    rho: float = option(0.9, "share of a correction that is kept until the next", min=0, max=1)

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Set up the offsets and the stream of trusted images."""
        sureness = self._sureness(task.meter)
        offsets = Offsets(len(task.train.pixels), self.beta, self.rho, task.device)
        trusted: Iterator[Batch] = endless_batches(
            task, task.trusted, "trusted", task.recipe.trusted_batch_size
        )
        start = CORRECTED_FROM * task.recipe.epochs

        def weigh(step: Step) -> Tensor:
            rows, sure = step.batch.rows, sureness(step)
            weights = offsets.corrected(sure, rows)
            if step.epoch >= start:
                slopes = hypergradient(step, weights, next(trusted), normalised=True)
                offsets.update(rows, slopes)
                weights = offsets.corrected(sure, rows)
            return mean_one(weights)

        return weigh


def mean_one(weights: Tensor) -> Tensor:
    """Scale weights to the mean one; all are one where all are zero."""
    mean = weights.mean()
    return torch.where(mean > 0, weights / mean.clamp_min(1e-12), 1.0)
