"""The supervised loop, endless streams of batches, and a look at what a model predicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from benchbase.api import Batch, Checkpoint, Classifier, Images, Losses, Step, Task
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.descent import Descent
from benchbase.kit.elsewhere import Elsewhere
from benchbase.kit.feed import Feed, delivered, lane_to


def supervised(
    task: Task,
    model: Classifier,
    weigh: Callable[[Step], Tensor | Losses],
    *,
    epochs: int | None = None,
    data: Images | None = None,
    phase: str = "",
    learning_rate: float | None = None,
) -> Iterator[Checkpoint]:
    """Train ``model`` by SGD on ``(weigh(step) * step.losses).mean()``; yield after each epoch.

    Where ``weigh`` gives ``Losses``, it is SGD on the mean of these.

    Everything left out comes from ``task.recipe`` and ``task.train``. The learning rate follows
    the recipe's schedule over this call's own epochs, and momentum starts anew, so that phases
    compose with ``yield from``; give each its own ``phase`` name, for it names the streams of
    order and augmentation. An epoch is ``task.steps_per_epoch`` batches of endlessly reshuffled
    ``data``, whatever its size: that keeps optimiser steps equal among methods.

    Checkpoints carry the last weight of each row where ``data`` is a view of ``task.train`` and
    there are weights, and the epoch's mean loss as the note ``loss``. Weights are not detached.

    Raises:
        ContractError: ``weigh`` gave something else than one weight or loss an image, or there
            are fewer than two images to train on.
        DivergedError: weights or losses were not finite in the epoch that just ended.
    """
    data = task.train if data is None else data
    epochs = task.recipe.epochs if epochs is None else epochs
    batches = endless_batches(task, data, f"training {phase}".strip(), task.recipe.batch_size)
    descent = Descent(task, model, epochs * task.steps_per_epoch, learning_rate)
    is_train = data.pixels is task.train.pixels
    weight_of_row = torch.full((len(data.pixels),), math.nan, device=task.device)

    def train(epoch: int) -> Checkpoint:
        model.train()
        loss_sum = torch.zeros((), device=task.device)
        weight_sum = torch.zeros((), device=task.device)
        for batch in islice(batches, task.steps_per_epoch):
            descent.forget_gradients()  # before the weighter, which may need the memory
            step = forward(task, model, batch, descent.lr, epoch)
            loss, weights = _read(weigh(step), step)
            descent.step(loss, backpropagated=len(batch.labels))
            loss_sum += loss.detach()
            if weights is None:
                weight_of_row[batch.rows] = math.nan
                continue
            weights = weights.detach()
            weight_of_row[batch.rows] = weights.to(weight_of_row)
            weight_sum += weights.sum()
        # Looked at once an epoch: a look at each step would stall a GPU.
        mean_loss = loss_sum.item() / task.steps_per_epoch
        if not math.isfinite(mean_loss) or not weight_sum.isfinite():
            raise _divergence(epoch, mean_loss, weight_sum.item())
        return Checkpoint(
            model,
            weights=weight_of_row.clone() if is_train and not weight_of_row.isnan().all() else None,
            notes={"loss": mean_loss},
        )

    yield from task.snapshots.epochs(epochs, train)


def forward(task: Task, model: Classifier, batch: Batch, lr: float, epoch: int) -> Step:
    """Run one training forward pass and count it."""
    elsewhere = Elsewhere(model, batch, task.meter)
    features = model.features(batch.images)
    logits = model.head(features)
    losses = F.cross_entropy(logits, batch.labels, reduction="none")
    task.meter.add(forwarded=len(batch.labels))
    return Step(
        model=model,
        batch=batch,
        logits=logits,
        features=features,
        losses=losses,
        lr=lr,
        epoch=epoch,
        losses_at=elsewhere.losses_at,
        trusted_loss_at=elsewhere.trusted_loss_at,
        meter=task.meter,
    )


def endless_batches(task: Task, images: Images, purpose: str, batch_size: int) -> Iterator[Batch]:
    """Give augmented, normalised batches for ever, reshuffled at each pass.

    ``purpose`` names the random streams of order and augmentation. A set smaller than
    ``batch_size`` is given whole each time. A pass ends with what is left over, unless that is
    one image, which batch norm could not take: the next shuffle leaves out another.

    Raises:
        ContractError: there are fewer than two images.
    """
    positions = _checked_positions(task, len(images), purpose, batch_size, images.rows.device)
    return _Batches(task, images, positions, task.rng(f"augment {purpose}"))


def endless_positions(
    task: Task, count: int, purpose: str, batch_size: int
) -> Iterator[Int[Tensor, " batch"]]:
    """Give the positions of ``endless_batches`` without their images, on the task's device.

    Raises:
        ContractError: there are fewer than two.
    """
    return _checked_positions(task, count, purpose, batch_size, task.device)


def _checked_positions(
    task: Task, count: int, purpose: str, batch_size: int, device: torch.device
) -> _Positions:
    if min(count, batch_size) < 2:
        raise ContractError(
            f"{purpose}: expected batches of at least 2 images, got {count} images and a "
            f"batch size of {batch_size}: check what the scenario grants and what was selected"
        )
    return _Positions(task.rng(f"order {purpose}"), count, batch_size, device)


# Objects, and no generator functions: what these remember can be kept and put back.


class _Batches(Iterator[Batch]):
    def __init__(
        self,
        task: Task,
        images: Images,
        positions: _Positions,
        augmentation: Generator,
    ) -> None:
        self._task = task
        self._images = images
        self._positions = positions
        self._augmentation = augmentation

    def __next__(self) -> Batch:
        positions, images = next(self._positions), self._images
        if _fits(self._task, images):
            return load_batch(self._task, images, positions, self._augmentation)
        if self not in _FEEDS:
            _FEEDS[self] = Feed(images.pixels, lane_to(self._task.device))
        feed, coming = _FEEDS[self], self._positions.coming
        pixels = feed.take(images.rows[positions])
        batch = _as_batch(self._task, images, positions, pixels, self._augmentation)
        if len(coming) > 1:
            feed.prepare(images.rows[coming])
        return batch


_FEEDS: WeakKeyDictionary[_Batches, Feed] = WeakKeyDictionary()
"""Beside the batches and no part of them: what is on its way is not kept, and can be sent again."""


def _fits(task: Task, images: Images) -> bool:
    return images.pixels.device.type == task.device.type


class _Positions(Iterator[Tensor]):
    def __init__(
        self, stream: Generator, count: int, batch_size: int, device: torch.device
    ) -> None:
        self._device = device
        self._stream = stream
        self._count = count
        self._batch_size = batch_size
        self._order = torch.empty(0, dtype=torch.long)
        self._given = 0

    def __next__(self) -> Int[Tensor, " batch"]:
        if len(self._order) - self._given < 2:
            # Drawn on the CPU, so that all devices see the same order; moved once a pass.
            self._order = torch.randperm(self._count, generator=self._stream).to(self._device)
            self._given = 0
        positions = self.coming
        self._given += len(positions)
        return positions

    @property
    def coming(self) -> Int[Tensor, " batch"]:
        """The next positions of this pass."""
        return self._order[self._given : self._given + self._batch_size]


def load_batch(
    task: Task, images: Images, positions: Int[Tensor, " batch"], augmentation: Generator
) -> Batch:
    """Gather the images at ``positions``, augment and normalise them, on the task's device."""
    positions = positions.to(images.rows.device)
    pixels = images.pixels[images.rows[positions]].to(task.device)
    return _as_batch(task, images, positions, pixels, augmentation)


def _as_batch(
    task: Task,
    images: Images,
    positions: Int[Tensor, " batch"],
    pixels: Tensor,
    augmentation: Generator,
) -> Batch:
    return Batch(
        images=task.normalise(task.augment(pixels, augmentation)),
        labels=images.labels[positions.to(images.labels.device)].to(task.device),
        rows=images.rows[positions].to(task.device),
    )


@torch.no_grad()
def predict(
    task: Task, model: Classifier, images: Images, batch_size: int = 250
) -> tuple[Float[Tensor, "count width"], Float[Tensor, "count classes"]]:
    """Give features and logits of ``images`` as they are, in eval mode; the mode is put back."""
    was_training = model.training
    model.eval()
    # Room for all of it first: what is kept of a batch, between what is not, would keep the
    # memory of its maps from being used again, a megabyte each time.
    found: list[Tensor] = []
    first = 0
    for pixels in delivered(images.pixels, images.rows.split(batch_size), task.device):
        features = model.features(task.normalise(pixels))
        answers = (features, model.head(features))
        if not found:
            found = [each.new_empty(len(images), *each.shape[1:]) for each in answers]
        for room, answer in zip(found, answers, strict=True):
            room[first : first + len(pixels)] = answer
        first += len(pixels)
    model.train(was_training)
    task.meter.add(forwarded=len(images))
    return found[0], found[1]


def _read(given: object, step: Step) -> tuple[Tensor, Tensor | None]:
    """Give the loss of a batch and the weights of its images from what ``weigh`` gave."""
    if isinstance(given, Losses):
        believed = given.weights
        if believed is not None:
            _one_an_image(believed, "weight", step)
        return _one_an_image(given.each, "loss", step).mean(), believed
    weights = _one_an_image(given, "weight", step)
    return (weights * step.losses).mean(), weights


def _one_an_image(given: object, what: str, step: Step) -> Tensor:
    if isinstance(given, Tensor) and given.shape == step.losses.shape:
        return given
    shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    raise ContractError(
        f"expected one {what} an image, a tensor of shape ({len(step.losses)},); got {shape}: "
        "look at what the weighter returns for a step"
    )


def _divergence(epoch: int, loss: float, weight_sum: float) -> DivergedError:
    if math.isfinite(weight_sum):
        return DivergedError(
            f"the mean training loss of epoch {epoch} is {loss}, the weights are finite: "
            "lower the learning rate, or look for a loss that overflows"
        )
    return DivergedError(
        f"the weights of epoch {epoch} are not finite (they add up to {weight_sum}) and the mean "
        f"training loss is {loss}: find out which of the two became so first"
    )
