"""DSR/PGC: sample weights from the teacher's entropy, in semi-supervised training and alone.

``dsr-pgc`` and ``dsr-pgc-e`` are the method, ``mean-teacher`` and ``fixmatch`` controls with the
same labelled and unlabelled images, ``dsr`` and ``dsr-corrected`` its weights on all given labels.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import (
    Backbone,
    Checkpoint,
    Honesty,
    Need,
    Task,
    Weighter,
    hookimpl,
    option,
)
from benchbase.errors import DivergedError
from benchbase.kit.elsewhere import call_at
from benchbase.kit.loops import endless_batches
from benchbase_dsr_pgc.loss_split import SPLIT_EVERY, LossSplit
from benchbase_dsr_pgc.losses import ENTROPY_FORMS, PAPER, Correction, Reweighting
from benchbase_dsr_pgc.plug_in import DSR, DSRCorrected
from benchbase_dsr_pgc.training import HiddenImages, JointStep, Objective, Tally, Training

BENCHBASE_API = 2


@dataclass(frozen=True)
class SemiSupervised(Weighter):
    """A method of labelled and unlabelled images, in one of two settings.

    Where the scenario withholds labels, all given labels are used and the other images are the
    unlabelled ones: the setting of the papers. Elsewhere all labels are given and some may be
    wrong: every image is an unlabelled one, its label hidden, and after a warm-up by plain
    cross-entropy on all labels the loss split says which labels are used; it is made anew after
    every twentieth of the epochs, at least one. That wrapper is ours, and the same for all
    methods here.

    The ramp of the unlabelled losses begins after the warm-up. The recipe's schedule runs over
    both. What is judged is the student. A label's weight is reported, not that of its image as
    an unlabelled one: 1 where the label is used, else 0.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED})
    warm_up: float = option(
        0.2, "share of the epochs before the first loss split, at least one epoch", min=0, max=1
    )

    @abstractmethod
    def objective(self, task: Task, training: Training) -> Objective:
        """Set up what becomes of unlabelled images."""

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train; yield after each epoch.

        Raises:
            DivergedError: the loss was not finite in the epoch that just ended.
        """
        epochs, withheld = task.recipe.epochs, task.unlabelled
        splits = len(withheld) == 0
        warm_up = max(1, round(self.warm_up * epochs)) if splits else 0
        split, split_every = LossSplit(task), max(1, round(SPLIT_EVERY * epochs))
        unlabelled = task.train if splits else withheld
        training = Training(task, HiddenImages(unlabelled.pixels, unlabelled.rows))
        objective, views = self.objective(task, training), training.views()
        used = torch.ones(len(task.train), dtype=torch.bool, device=task.device)
        labelled = endless_batches(task, task.train, "warm up", task.recipe.batch_size)

        def train(epoch: int) -> Checkpoint:
            nonlocal used, labelled
            tally = Tally(task.device)
            if epoch < warm_up:
                for batch in islice(labelled, task.steps_per_epoch):
                    tally.add(training.supervised_step(batch))
            else:
                if epoch == warm_up or (splits and (epoch - warm_up) % split_every == 0):
                    if splits:
                        used = split.believed()
                    labelled = endless_batches(
                        task,
                        task.train.subset(used),
                        f"labelled from epoch {epoch}",
                        training.labelled_size,
                    )
                for batch, seen in zip(islice(labelled, task.steps_per_epoch), views, strict=False):
                    tally.add(*training.joint_step(batch, seen, objective))
            if splits:
                split.look(training.averaged.network)
            notes = tally.notes()
            if not math.isfinite(notes["loss"]):
                raise DivergedError(
                    f"the mean loss of epoch {epoch} is {notes['loss']}: lower the learning rate"
                )
            return Checkpoint(
                training.student.network,
                weights=used.float(),
                notes={**notes, "share of labels used": float(used.float().mean())},
            )

        yield from task.snapshots.epochs(epochs, train)


@dataclass(frozen=True)
class DSRPGCE(SemiSupervised):
    """DSR/PGC with the entropy weights alone: no bilevel correction, hence no trusted images.

    The rest is as in ``dsr-pgc``.
    """

    name: ClassVar[str] = "dsr-pgc-e"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = PAPER
    weight: str = option(
        "one-minus-entropy",
        "an unlabelled image's weight: 1 - H / ln C or exp(-H) of the teacher's prediction; or, as "
        "controls, 1, or the first one shuffled within the batch",
        choices=(*ENTROPY_FORMS, "ones", "shuffled"),
    )
    lambda_consistency: float = option(1.0, "strength of the consistency loss", min=0)
    lambda_contrast: float = option(0.5, "strength of the contrastive loss; 0 is without it", min=0)
    form: str = option(
        "in",
        "the contrastive loss's sum over positives is in or out of the logarithm",
        choices=("in", "out"),
    )

    def objective(self, task: Task, training: Training) -> Objective:
        """Set up the queue."""
        return self._reweighting(task, training, None)

    def _reweighting(
        self, task: Task, training: Training, correction: Correction | None
    ) -> Reweighting:
        return Reweighting(
            task,
            training,
            weight=self.weight,
            lambda_consistency=self.lambda_consistency,
            lambda_contrast=self.lambda_contrast,
            form=self.form,
            correction=correction,
        )


@dataclass(frozen=True)
class DSRPGC(DSRPGCE):
    """DSR/PGC: unlabelled images count as much as the teacher is sure of them, and help the rest.

    An unlabelled image's weight multiplies two losses: consistency with a mean teacher under
    strong augmentation, and contrast with a queue of the teacher's keys, in which equal
    pseudo-labels attract. Its basis is the entropy of the teacher's prediction; how trusted
    images would have it after a virtual step adds an offset. Trusted images serve nothing else.

    Known from the text: the entropy, that one weight enters both losses, weak and strong views,
    the average teacher, the queue, alternating updates. The formulas themselves, all constants
    and the total loss were not in what we could read: those here are inferred. The text defines
    the weight twice, in closed form and as a variable that an outer loss moves, and does not
    define the outer loss; the offset is our reconciliation, trusted images are our outer loss.

    Weights look at no label, so a wrong label is fought by the loss split, which is ours, and by
    trusted images; where a split is used, read the name as "DSR/PGC with loss split".
    """

    name: ClassVar[str] = "dsr-pgc"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED, Need.UNLABELLED})
    beta: float = option(0.1, "largest correction of a weight in one step; 0 is dsr-pgc-e", min=0)
    rho: float = option(0.9, "share of a correction that is kept until the next", min=0, max=1)
    meta_every: int = option(1, "steps from one correction to the next", min=1)

    def objective(self, task: Task, training: Training) -> Objective:
        """Set up the queue, the offsets and the stream of trusted images."""
        if self.beta == 0:
            return self._reweighting(task, training, None)
        correction = Correction(
            task,
            training,
            rate=self.beta,
            memory=self.rho,
            every=self.meta_every,
        )
        return self._reweighting(task, training, correction)


@dataclass(frozen=True)
class MeanTeacher(SemiSupervised):
    """Control: a mean teacher's consistency for unlabelled images, all of the same weight.

    It has the labelled and unlabelled images, views, teacher and ramp of ``dsr-pgc``.
    """

    name: ClassVar[str] = "mean-teacher"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Tarvainen, Valpola: Mean teachers are better role models: weight-averaged consistency "
        "targets improve semi-supervised deep learning results. NeurIPS 2017. "
        "https://arxiv.org/abs/1703.01780"
    )

    def objective(self, task: Task, training: Training) -> Objective:
        """Leave weights and contrast out."""
        return DSRPGCE(weight="ones", lambda_contrast=0.0).objective(task, training)


@dataclass(frozen=True)
class FixMatch(SemiSupervised):
    """Control: sure predictions for weak views are labels for strong ones; there is no teacher.

    It has the labelled and unlabelled images and views of ``dsr-pgc``, three unlabelled ones to a
    labelled one (the paper has seven), and as in the paper no ramp. What is judged is the student
    itself, not its moving average.
    """

    name: ClassVar[str] = "fixmatch"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Sohn, Berthelot, Li, Zhang, Carlini, Cubuk, Kurakin, Zhang, Raffel: FixMatch: simplifying "
        "semi-supervised learning with consistency and confidence. NeurIPS 2020. "
        "https://arxiv.org/abs/2001.07685"
    )
    threshold: float = option(0.95, "least probability of a prediction to learn from", max=1, min=0)

    def objective(self, task: Task, training: Training) -> Objective:
        """Give the loss; it has no state."""

        def unlabelled_loss(step: JointStep) -> tuple[Tensor, Tensor]:
            # In train mode, on statistics of the weak views alone (in the paper's code those of
            # one joint batch); buffers stay.
            with torch.no_grad():
                logits, _ = call_at(step.student, {}, step.views.weak)
            task.meter.add(forwarded=len(logits))
            sureness, labels = F.softmax(logits, 1).max(1)
            weights = (sureness >= self.threshold).float()
            losses = F.cross_entropy(step.logits, labels, reduction="none")
            return (weights * losses).mean(), weights

        return unlabelled_loss


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give the method, its variants and its controls."""
    return [DSRPGC, DSRPGCE, DSR, DSRCorrected, MeanTeacher, FixMatch]


@hookimpl
def register_backbones() -> list[type[Backbone]]:
    """Give the network of the method's paper."""
    from benchbase_medfusenet import MedFuseNet

    return [MedFuseNet]
