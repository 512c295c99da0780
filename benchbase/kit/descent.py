"""Gradient descent as the recipe says: SGD with momentum along the recipe's schedule."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from benchbase.api import Task
from benchbase.kit import devices


class Descent:
    """Takes ``steps`` optimiser steps on ``model``, from the learning rate ``peak`` down.

    ``peak`` is the recipe's where it is left out. Momentum starts at zero.
    """

    def __init__(self, task: Task, model: nn.Module, steps: int, peak: float | None = None) -> None:
        recipe = task.recipe
        self._peak = recipe.learning_rate if peak is None else peak
        self._constant = recipe.schedule == "constant"
        self._total = steps
        self._taken = 0
        self._meter = task.meter
        self._parameters = list(model.parameters())
        self._optimiser = torch.optim.SGD(
            self._parameters,
            lr=self._peak,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=has_fused_steps(self._parameters),
        )
        if recipe.momentum:
            # Fused steps need it of all parameters, also of those whose first gradient comes later.
            for parameter in self._parameters:
                self._optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)

    @property
    def lr(self) -> float:
        """Learning rate of the coming step."""
        if self._constant:
            return self._peak
        return cosine(self._peak, self._taken / self._total)

    def forget_gradients(self) -> None:
        """Free the memory of the last step's gradients."""
        # The optimiser's zero_grad takes ten times as long (measured), for profilers and options.
        for parameter in self._parameters:
            parameter.grad = None

    def step(self, loss: Tensor, backpropagated: int) -> None:
        """Pass ``loss`` backward and take the step; gradients from elsewhere are no part of it.

        ``backpropagated`` says how many images the loss is of.
        """
        self.forget_gradients()
        loss.backward()
        for group in self._optimiser.param_groups:
            group["lr"] = self.lr
        self._optimiser.step()
        self._taken += 1
        self._meter.add(backpropagated=backpropagated, steps=1)


def has_fused_steps(parameters: Iterable[Tensor]) -> bool:
    """Tell whether torch's optimisers can take a step of all these in one operation.

    They then walk through memory, so that nothing may lie between the values of a parameter.
    (``backward`` gives a gradient the layout of such a parameter.)
    """
    return all(
        value.device.type in devices.FUSED and value.is_floating_point() and _is_dense(value)
        for value in parameters
    )


def _is_dense(value: Tensor) -> bool:
    return value.is_contiguous() or (
        value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
    )


def cosine(peak: float, progress: float) -> float:
    """Give the learning rate after the share ``progress`` of a schedule from ``peak`` to zero."""
    return peak * (1 + math.cos(math.pi * progress)) / 2
