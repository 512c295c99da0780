"""The supervised loop, and an endless stream of batches for trusted images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice

import torch
from jaxtyping import Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from benchbase.api import Batch, Checkpoint, Classifier, Images, Step, Task
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.elsewhere import Elsewhere


def supervised(
    task: Task,
    model: Classifier,
    weigh: Callable[[Step], Tensor],
    *,
    epochs: int | None = None,
    data: Images | None = None,
    phase: str = "",
    learning_rate: float | None = None,
    steps_per_epoch: int | None = None,
) -> Iterator[Checkpoint]:
    """Train ``model`` by SGD on ``(weigh(step) * step.losses).mean()``; yield after each epoch.

    Everything left out comes from ``task.recipe`` and ``task.train``. The learning rate follows
    the recipe's schedule over this call's own epochs, and momentum starts anew, so that phases
    compose with ``yield from``; give each its own ``phase`` name, for it names the streams of
    order and augmentation. ``steps_per_epoch`` draws that many batches an epoch from endlessly
    reshuffled ``data`` instead of one pass: optimiser steps stay equal when its size is not.

    Checkpoints carry the last weight of each row where ``data`` is a view of ``task.train``, and
    the epoch's mean loss as the note ``loss``. Weights are not detached.

    Raises:
        ContractError: ``weigh`` gave something else than one weight an image, or there are fewer
            than two images to train on.
        DivergedError: weights or losses were not finite in the epoch that just ended.
    """
    data = task.train if data is None else data
    epochs = task.recipe.epochs if epochs is None else epochs
    peak = task.recipe.learning_rate if learning_rate is None else learning_rate
    if steps_per_epoch is None:
        steps_per_epoch = batches_per_pass(len(data), task.recipe.batch_size)
    total_steps = epochs * steps_per_epoch
    batches = endless_batches(task, data, f"training {phase}".strip(), task.recipe.batch_size)
    parameters = list(model.parameters())
    optimiser = torch.optim.SGD(
        parameters,
        lr=peak,
        momentum=task.recipe.momentum,
        weight_decay=task.recipe.weight_decay,
    )
    constant = task.recipe.schedule == "constant"
    is_train = data.pixels is task.train.pixels
    weight_of_row = torch.full((len(data.pixels),), math.nan, device=task.device)
    steps_done = 0
    for epoch in range(epochs):
        model.train()
        loss_sum = torch.zeros((), device=task.device)
        weight_sum = torch.zeros((), device=task.device)
        for batch in islice(batches, steps_per_epoch):
            lr = peak if constant else cosine(peak, steps_done / total_steps)
            for group in optimiser.param_groups:
                group["lr"] = lr
            _drop_gradients(parameters)  # before the weighter, which may need the memory
            step = forward(task, model, batch, lr, epoch)
            weights = weigh(step)
            if not isinstance(weights, Tensor) or weights.shape != step.losses.shape:
                raise _wrong_weights(weights, len(step.losses))
            loss = (weights * step.losses).mean()
            _drop_gradients(parameters)  # what a weighter left behind is no part of this step
            loss.backward()
            optimiser.step()
            task.meter.add(backpropagated=len(batch.labels), steps=1)
            steps_done += 1
            weights = weights.detach()
            weight_of_row[batch.rows] = weights.to(weight_of_row)
            loss_sum += loss.detach()
            weight_sum += weights.sum()
        # Looked at once an epoch: a look at each step would stall a GPU.
        mean_loss = loss_sum.item() / steps_per_epoch
        if not math.isfinite(mean_loss) or not weight_sum.isfinite():
            raise _divergence(epoch, mean_loss, weight_sum.item())
        yield Checkpoint(
            model,
            weights=weight_of_row.clone() if is_train else None,
            notes={"loss": mean_loss},
        )


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
    if min(len(images), batch_size) < 2:
        raise ContractError(
            f"{purpose}: expected batches of at least 2 images, got {len(images)} images and a "
            f"batch size of {batch_size}: check what the scenario grants and what was selected"
        )
    return _batches(task, images, purpose, batch_size)


def _batches(task: Task, images: Images, purpose: str, batch_size: int) -> Iterator[Batch]:
    order_stream, augmentation_stream = task.rng(f"order {purpose}"), task.rng(f"augment {purpose}")
    while True:
        # Drawn on the CPU, so that all devices see the same order; moved once a pass.
        order = torch.randperm(len(images), generator=order_stream).to(images.rows)
        for positions in order.split(batch_size):
            if len(positions) > 1:
                yield load_batch(task, images, positions, augmentation_stream)


def load_batch(
    task: Task, images: Images, positions: Int[Tensor, " batch"], augmentation: Generator
) -> Batch:
    """Gather the images at ``positions``, augment and normalise them, on the task's device."""
    rows = images.rows[positions]
    pixels = images.pixels[rows].to(task.device)
    return Batch(
        images=task.normalise(task.augment(pixels, augmentation)),
        labels=images.labels[positions].to(task.device),
        rows=rows.to(task.device),
    )


def batches_per_pass(count: int, batch_size: int) -> int:
    """Count the batches of one pass over ``count`` images; a last batch of one is dropped."""
    full, rest = divmod(count, batch_size)
    return full + (rest > 1)


def cosine(peak: float, progress: float) -> float:
    """Give the learning rate after the share ``progress`` of a schedule from ``peak`` to zero."""
    return peak * (1 + math.cos(math.pi * progress)) / 2


def _drop_gradients(parameters: list[nn.Parameter]) -> None:
    # The optimiser's zero_grad takes ten times as long (measured), for profilers and options.
    for parameter in parameters:
        parameter.grad = None


def _wrong_weights(weights: object, count: int) -> ContractError:
    shape = tuple(weights.shape) if isinstance(weights, Tensor) else type(weights).__name__
    return ContractError(
        f"expected one weight an image, a tensor of shape ({count},); got {shape}: "
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
