"""ERM's step as it was before the kit was made faster: what all ratios of steps are against.

Written out plainly and kept as it is, so that a faster kit lowers the ratios.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import Task

SHIFT = 2
MEAN, DEVIATION = 0.5, 0.29


def erm_at_start(task: Task) -> Callable[[], None]:
    """Give a function that takes one step on the task's next batch."""
    model, recipe = task.build_model(), task.recipe
    parameters = list(model.parameters())
    optimiser = torch.optim.SGD(
        parameters,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    batches = _batches(task)
    weight_of_row = torch.full((len(task.train.pixels),), math.nan)
    loss_sum, weight_sum = torch.zeros(()), torch.zeros(())
    model.train()

    def take_step() -> None:
        images, labels, rows = next(batches)
        for parameter in parameters:
            parameter.grad = None
        torch.get_rng_state()
        losses = F.cross_entropy(model(images), labels, reduction="none")
        weights = torch.ones_like(losses)
        loss = (weights * losses).mean()
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        optimiser.step()
        loss_sum.add_(loss.detach())
        weight_of_row[rows] = weights
        weight_sum.add_(weights.sum())

    return take_step


def _batches(task: Task) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give shuffled, augmented and normalised batches for ever."""
    order, moves = task.rng("order at start"), task.rng("moves at start")
    channels = task.train.pixels.shape[1]
    scale = torch.full((1, channels, 1, 1), 1 / (255 * DEVIATION))
    offset = torch.full((1, channels, 1, 1), -MEAN / DEVIATION)
    while True:
        for positions in torch.randperm(len(task.train), generator=order).split(
            task.recipe.batch_size
        ):
            rows = task.train.rows[positions]
            pixels = _augment(task.train.pixels[rows], moves)
            images = pixels.to(torch.float32, memory_format=torch.channels_last)
            yield images.mul_(scale).add_(offset), task.train.labels[positions], rows


def _augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image and mirror it left and right."""
    count, channels, height, width = pixels.shape
    moves = torch.randint(-SHIFT, SHIFT + 1, (2, count, 1), generator=generator)
    mirrors = torch.randint(0, 2, (2, count, 1), generator=generator)
    down, right, _, mirror = torch.cat((moves, mirrors))
    lines = (torch.arange(height) + down).clamp_(0, height - 1)
    columns = (torch.arange(width) + right).clamp_(0, width - 1)
    columns = torch.where(mirror.bool(), width - 1 - columns, columns)
    source = (lines * width).unsqueeze(2) + columns.unsqueeze(1)
    source = source.view(count, 1, height * width).expand(-1, channels, -1)
    return pixels.flatten(2).gather(2, source).view_as(pixels)
