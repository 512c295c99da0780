"""The mean teacher: a model whose weights are a moving average of its student's."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Teacher:
    """An exponential moving average of a student (Tarvainen and Valpola, NeurIPS 2017).

    With ``decay`` a, update t = 1, 2, ... averages by min(1 - 1 / (t + 1), a), so that the first
    ones give the plain mean of start and students. Floating-point buffers (batch norm's
    statistics) are averaged as well, integer ones copied.
    """

    def __init__(self, student: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(student).eval().requires_grad_(requires_grad=False)
        self._decay = decay
        self._updates = 0

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Take in the student's present weights."""
        self._updates += 1
        pull = 1 - min(1 - 1 / (self._updates + 1), self._decay)
        own, theirs = self.model.state_dict(), student.state_dict()
        averaged = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [own[name] for name in averaged], [theirs[name] for name in averaged], pull
        )
        for name in own.keys() - set(averaged):
            own[name].copy_(theirs[name])
