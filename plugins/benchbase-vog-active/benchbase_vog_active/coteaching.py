"""Co-teaching: two networks, each of which selects what the other learns from."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator as Generation
from collections.abc import Sequence
from itertools import islice

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from benchbase.api import Checkpoint, Classifier, Step, Task
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.descent import Descent
from benchbase.kit.loops import endless_batches, forward
from benchbase_vog_active.selection import (
    ForgetSchedule,
    GradientWindow,
    last_layer_gradients,
    mixed,
    smallest,
)


class Ensemble(nn.Module):
    """Two networks that are judged by the sum of their logits."""

    def __init__(self, first: Classifier, second: Classifier) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Add the logits."""
        logits: Tensor = self.first(images) + self.second(images)
        return logits


class SmallLoss:
    """Selects by loss alone, as co-teaching does. Each network has a selector of its own."""

    def begin(self, epoch: int) -> None:
        """Get ready for an epoch; the network is as the last one left it."""

    def choose(self, step: Step, count: int) -> Bool[Tensor, " batch"]:
        """Mark the ``count`` images that the step's network takes for rightly labelled."""
        return smallest(step.losses.detach(), count)


class RandomPart(SmallLoss):
    """Selects the share ``mix`` at random among what the loss leaves, from epoch ``start`` on."""

    def __init__(self, mix: float, start: int, stream: Generator) -> None:
        self._mix = mix
        self._start = start
        self._stream = stream

    def choose(self, step: Step, count: int) -> Bool[Tensor, " batch"]:
        """Mark the images."""
        if step.epoch < self._start:
            return super().choose(step, count)
        lots = torch.rand(len(step.losses), generator=self._stream).to(step.losses.device)
        return mixed(step.losses.detach(), lots, count, self._mix)


class VariancePart(SmallLoss):
    """Selects the share ``mix`` by the smallest variance of gradients, from epoch ``start`` on.

    The variance is that over the ``window`` epochs before the present one, or over all of them
    where there were fewer. Gradients are taken from the training steps, or with ``separate`` from
    one more pass after each epoch: augmented and with batch statistics, as in training, and
    without a trace on the network.
    """

    def __init__(
        self,
        task: Task,
        network: Classifier,
        *,
        mix: float,
        start: int,
        window: int,
        separate: bool = False,
    ) -> None:
        if not isinstance(network.head, nn.Linear):
            raise ContractError(
                f"the variance of gradients is that of a linear last layer, and this backbone's "
                f"head is a {type(network.head).__name__}: let its `features` do what comes before"
            )
        self._task = task
        self._network = network
        self._mix = mix
        self._start = start
        self._first = max(0, start - window)
        self._window = GradientWindow(window, len(task.train))
        self._variance: Tensor | None = None
        self._batches = None
        if separate:
            self._batches = endless_batches(
                task, task.train, "variance pass", task.recipe.batch_size
            )

    def begin(self, epoch: int) -> None:
        """Compute the variance of the epochs before."""
        if self._batches is not None and epoch > self._first:
            self._pass(epoch - 1)
        if epoch >= self._start:
            self._variance = self._window.variance()

    def choose(self, step: Step, count: int) -> Bool[Tensor, " batch"]:
        """Mark the images; note their gradients."""
        if self._batches is None and step.epoch >= self._first:
            self._record(step)
        losses = step.losses.detach()
        if self._variance is None:
            return smallest(losses, count)
        return mixed(losses, self._variance[step.batch.rows], count, self._mix)

    def _record(self, step: Step) -> None:
        gradients = last_layer_gradients(
            step.logits.detach(), step.features.detach(), step.batch.labels
        )
        self._window.record(step.epoch, step.batch.rows, gradients)

    @torch.no_grad()
    def _pass(self, epoch: int) -> None:
        assert self._batches is not None
        twin = copy.deepcopy(self._network).train()  # whose running statistics may move
        with self._task.seeded(f"variance pass {epoch}"):
            for batch in islice(self._batches, self._task.steps_per_epoch):
                self._record(forward(self._task, twin, batch, 0.0, epoch))


def co_teach(
    task: Task,
    networks: Ensemble,
    selectors: Sequence[SmallLoss],
    schedule: ForgetSchedule,
    epochs: int,
) -> Generation[Checkpoint, None, Bool[Tensor, " rows"]]:
    """Train two networks on each other's selections; yield after each epoch.

    Both see the same batches, select before either moves, and take one step each on the mean loss
    of what the other selected; a batch of which nothing is kept is passed over. The first
    network trains on the batches that the supervised loop would give it.

    Checkpoints carry, for each row, the mean over both networks of whether they selected it when
    it was last seen; notes are the mean of both networks' training losses and the share that was
    kept.

    Returns:
        The rows that the first network selected in the last epoch.

    Raises:
        DivergedError: losses were not finite in the epoch that just ended.
    """
    batches = endless_batches(task, task.train, "training", task.recipe.batch_size)
    # One optimiser for both: their losses share no parameter, so each takes a step of its own.
    descent = Descent(task, networks, epochs * task.steps_per_epoch)
    weight_of_row = torch.full((len(task.train),), math.nan, device=task.device)
    clean = torch.zeros(len(task.train), dtype=torch.bool, device=task.device)

    def train(epoch: int) -> Checkpoint:
        networks.train()
        for selector in selectors:
            selector.begin(epoch)
        clean.zero_()
        loss_sum = torch.zeros((), device=task.device)
        seen = kept = 0
        for batch in islice(batches, task.steps_per_epoch):
            steps = [
                forward(task, network, batch, descent.lr, epoch)
                for network in (networks.first, networks.second)
            ]
            count = schedule.kept(epoch, len(batch.labels))
            chosen = [
                selector.choose(step, count)
                for selector, step in zip(selectors, steps, strict=True)
            ]
            clean[batch.rows] = chosen[0]
            weight_of_row[batch.rows] = torch.stack(chosen).float().mean(0)
            seen += len(batch.labels)
            kept += count
            if count:
                first = (steps[0].losses * chosen[1]).sum() / count
                second = (steps[1].losses * chosen[0]).sum() / count
                loss = first + second
                descent.step(loss, backpropagated=2 * len(batch.labels))
                loss_sum += loss.detach() * count
        mean_loss = loss_sum.item() / (2 * max(1, kept))
        if not math.isfinite(mean_loss):
            raise DivergedError(
                f"the mean training loss of epoch {epoch} is {mean_loss}: lower the learning rate"
            )
        return Checkpoint(
            networks,
            weights=weight_of_row.clone(),
            notes={"loss": mean_loss, "kept": kept / seen},
        )

    yield from task.snapshots.epochs(epochs, train)
    return clean
