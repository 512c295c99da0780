"""DSR/PGC in formulas: entropy weights, consistency, contrast with a queue, and the ramp.

Equation numbers are those of Liu, Liu, Liu (Mathematics 2024, 12(22), 3572), restored: of the
text that we could read, the formulas were missing, and what they compute is told in words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Batch, Meter, Task
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.elsewhere import call_at
from benchbase.kit.loops import endless_batches
from benchbase_dsr_pgc.training import PROJECTION, JointStep, Training

PAPER = (
    "Liu, Liu, Liu: Enhanced semi-supervised medical image classification based on dynamic sample "
    "reweighting and pseudo-label guided contrastive learning (DSRPGC). Mathematics 12(22), 3572, "
    "2024. https://doi.org/10.3390/math12223572"
)
LONGEST_QUEUE = 4096
ENTROPY_FORMS = ("one-minus-entropy", "exp-entropy")
CORRECTED_FROM = 0.1
"""Share of the run before trusted images correct any weight."""


def entropy_weights(
    probabilities: Float[Tensor, "batch classes"], form: str
) -> Float[Tensor, " batch"]:
    """Give more weight the surer a prediction is (equations 5 and 6).

    ``one-minus-entropy`` is 1 - H / ln C, from 0 (uniform) to 1 (certain); ``exp-entropy`` is
    exp(-H), from 1 / C to 1. The text does not say which of the two was meant.
    """
    entropy = torch.special.entr(probabilities).sum(1)
    if form == "exp-entropy":
        return torch.exp(-entropy)
    certainty: Tensor = 1 - entropy / math.log(probabilities.shape[1])
    return certainty.clamp(0, 1)


def ramp(progress: float) -> float:
    """Give the share of their full strength that the unlabelled losses have."""
    return math.exp(-5 * (1 - min(progress, 1)) ** 2)


def disagreement(
    logits: Float[Tensor, "batch classes"], targets: Float[Tensor, "batch classes"]
) -> Float[Tensor, " batch"]:
    """Measure how far the student's predictions are from the teacher's (equation 9)."""
    return (F.softmax(logits, 1) - targets).square().sum(1)


def queue_size(images: int, batch_size: int) -> int:
    """Give the largest multiple of the batch within 4096 and half of the images; at least one."""
    return max(1, min(LONGEST_QUEUE, images // 2) // batch_size) * batch_size


class KeyQueue:
    """The teacher's last keys, each with pseudo-label, weight and image; first in, first out.

    A free slot has the weight zero, which is the same as an entry that is not there. A push makes
    new tensors, so that a loss that was computed before it can still be passed backward.
    """

    def __init__(self, size: int, width: int, device: torch.device) -> None:
        self.keys: Float[Tensor, "slots width"] = torch.zeros(size, width, device=device)
        self.labels = torch.zeros(size, dtype=torch.int64, device=device)
        self.weights = torch.zeros(size, device=device)
        self.images = torch.full((size,), -1, device=device)
        self.pointer = 0
        """The slot that is overwritten next."""

    def push(
        self,
        keys: Float[Tensor, "batch width"],
        labels: Int[Tensor, " batch"],
        weights: Float[Tensor, " batch"],
        images: Int[Tensor, " batch"],
    ) -> None:
        """Overwrite the oldest entries."""
        size, count = len(self.labels), len(labels)
        slots = (torch.arange(count, device=labels.device) + self.pointer) % size
        self.keys = self.keys.index_copy(0, slots, keys.detach())
        self.labels = self.labels.index_copy(0, slots, labels)
        self.weights = self.weights.index_copy(0, slots, weights.detach())
        self.images = self.images.index_copy(0, slots, images)
        self.pointer = (self.pointer + count) % size


def contrast(
    queries: Float[Tensor, "batch width"],
    labels: Int[Tensor, " batch"],
    images: Int[Tensor, " batch"],
    queue: KeyQueue,
    *,
    own_keys: Float[Tensor, "batch width"] | None = None,
    temperature: float = 0.2,
    form: str = "in",
) -> Float[Tensor, " batch"]:
    """Pull queries to keys of their own pseudo-label and away from the others (equation 15).

    Candidates of a query are the queue's entries of other images and, where given, its own key,
    which is a positive of weight one. ``in`` is -ln of the share of positives in all weighted
    similarities; ``out`` the mean over positives of -ln of their shares (SupCon, Khosla et al.,
    NeurIPS 2020), with weights of mean one. Queries without a positive have the loss 0, and the
    others are scaled up so that the mean over the batch is the mean over those.
    """
    scores = queries @ queue.keys.T / temperature
    foreign = images.unsqueeze(1) != queue.images
    weights = torch.where(foreign, queue.weights, 0.0)
    alike = labels.unsqueeze(1) == queue.labels
    if own_keys is not None:
        own = (queries * own_keys).sum(1, keepdim=True) / temperature
        scores = torch.cat((own, scores), 1)
        weights = F.pad(weights, (1, 0), value=1.0)
        alike = F.pad(alike, (1, 0), value=True)
    positive = alike & (weights > 0)
    valid = positive.any(1, keepdim=True)
    # ln 0 = -inf takes a candidate out. A query without a positive gets zeros instead, for the
    # gradient of its logarithms would be NaN.
    weighted = torch.where(valid, scores + weights.log(), 0.0)
    everything = weighted.logsumexp(1)
    if form == "out":
        mean_weight = weights.sum(1) / (weights > 0).sum(1).clamp_min(1)
        everything = everything - torch.where(valid.squeeze(1), mean_weight, 1.0).log()
        pulls = torch.where(positive, weights, 0.0)
        pulls = pulls / pulls.sum(1, keepdim=True).clamp_min(torch.finfo(pulls.dtype).tiny)
        losses = pulls.sum(1) * everything - (pulls * torch.where(valid, scores, 0.0)).sum(1)
    else:
        losses = everything - weighted.masked_fill(~positive & valid, -math.inf).logsumexp(1)
    return losses * (len(valid) / valid.sum().clamp_min(1))


class Offsets:
    """Corrections of entropy weights, one an image, kept from visit to visit (equation 4).

    At each visit an offset shrinks to ``memory`` of itself and moves by up to ``rate`` against the
    slope of the trusted loss, so that it never exceeds rate / (1 - memory).
    """

    def __init__(self, images: int, rate: float, memory: float, device: torch.device) -> None:
        self.values = torch.zeros(images, device=device)
        self._rate, self._memory = rate, memory

    def corrected(
        self, weights: Float[Tensor, " batch"], images: Int[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]:
        """Give the weights with the offsets of their images, within 0 and 1."""
        return (weights + self.values[images]).clamp(0, 1)

    def update(self, images: Int[Tensor, " batch"], slopes: Float[Tensor, " batch"]) -> None:
        """Take in how the trusted loss depends on the weights; only their directions count.

        Slopes are of the size of the learning rate over the batch size, so they are divided by
        the largest.
        """
        directions = slopes / (slopes.abs().max() + 1e-12)
        moved = self._memory * self.values[images] - self._rate * directions
        self.values = self.values.index_copy(0, images, moved.to(self.values))


@dataclass(frozen=True)
class VirtualStep:
    """What the bilevel step of the kit needs to know of a joint step."""

    model: nn.Module
    losses: Tensor
    lr: float
    meter: Meter
    losses_at: Callable[[Mapping[str, Tensor]], Tensor]
    """To first order, which is all that the tangent pass asks for, and but for a constant."""
    trusted_loss_at: Callable[[Mapping[str, Tensor], Batch], Tensor]


class Correction:
    """The bilevel part of a run: offsets of the weights, and what moves them."""

    def __init__(
        self,
        task: Task,
        training: Training,
        *,
        rate: float,
        memory: float,
        every: int = 1,
    ) -> None:
        self.offsets = Offsets(len(training.hidden), rate, memory, task.device)
        self._meter = task.meter
        self._start = CORRECTED_FROM * training.total_steps
        self._every = every
        self._trusted = endless_batches(task, task.trusted, "trusted", training.labelled_size)

    def weigh(self, step: JointStep, weights: Tensor, losses: Tensor) -> Tensor:
        """Give the corrected weights of images with ``losses``, which are attached."""
        images = step.views.images
        corrected = self.offsets.corrected(weights, images)
        if step.number < self._start or step.number % self._every:
            return corrected
        meter, labelled = self._meter, len(step.labelled.labels)
        # A loss depends on the outputs for its own image alone. Their slopes, from a short pass
        # backward, spare forward mode the losses: it ends at the outputs, and is as exact.
        slopes = torch.autograd.grad(
            losses.sum(),
            (step.logits, step.projections),
            retain_graph=True,
            materialize_grads=True,
        )

        def losses_at(parameters: Mapping[str, Tensor]) -> Tensor:
            meter.add(forwarded=len(step.together))
            outputs = step.outputs_at(parameters)
            changes = [(each * slope).sum(1) for each, slope in zip(outputs, slopes, strict=True)]
            return changes[0] + changes[1]

        def trusted_loss_at(parameters: Mapping[str, Tensor], batch: Batch) -> Tensor:
            meter.add(forwarded=len(batch.labels))
            logits, _ = call_at(step.student, parameters, batch.images)
            return F.cross_entropy(logits, batch.labels)

        virtual = VirtualStep(step.student, losses, step.lr, meter, losses_at, trusted_loss_at)
        found = hypergradient(virtual, corrected, next(self._trusted), beside=step.supervised_loss)
        # The labelled images went along, back and in the tangent pass.
        meter.add(backpropagated=labelled, forwarded=labelled)
        self.offsets.update(images, found)
        return self.offsets.corrected(weights, images)


class Reweighting:
    """The unlabelled loss of a run: targets from the teacher, weights, and the queue of keys."""

    def __init__(
        self,
        task: Task,
        training: Training,
        *,
        weight: str,
        lambda_consistency: float,
        lambda_contrast: float,
        form: str,
        correction: Correction | None,
    ) -> None:
        self._weight = weight
        self._lambda_consistency = lambda_consistency
        self._lambda_contrast = lambda_contrast
        self._form = form
        self._meter = task.meter
        self._teacher = training.averaged
        self._correction = correction
        size = queue_size(len(training.hidden), training.hidden_size)
        self.queue = KeyQueue(size, PROJECTION, task.device)
        self._shuffles = task.rng("shuffled weights")

    def __call__(self, step: JointStep) -> tuple[Tensor, Tensor]:
        """Give the weighted loss of the unlabelled images, and their weights."""
        images = step.views.images
        with torch.no_grad():
            logits, keys = self._teacher(step.views.weak)
        self._meter.add(forwarded=len(images))
        targets, labels = F.softmax(logits, 1), logits.argmax(1)
        losses = self._lambda_consistency * disagreement(step.logits, targets)
        if self._lambda_contrast:
            losses = losses + self._lambda_contrast * contrast(
                step.projections,
                labels,
                images,
                self.queue,
                own_keys=keys,
                form=self._form,
            )
        losses = ramp(step.progress) * losses
        weights = self._first_weights(targets)
        if self._correction is not None:
            weights = self._correction.weigh(step, weights, losses)
        if self._weight == "shuffled":
            order = torch.randperm(len(weights), generator=self._shuffles)
            weights = weights[order.to(weights.device)]
        self.queue.push(keys, labels, weights, images)
        return (weights * losses).mean(), weights

    def _first_weights(self, targets: Tensor) -> Tensor:
        if self._weight == "ones":
            return torch.ones_like(targets[:, 0])
        form = ENTROPY_FORMS[0] if self._weight == "shuffled" else self._weight
        return entropy_weights(targets, form)
