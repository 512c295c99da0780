"""Counts what a method does to its networks, whatever loop it writes: the steps are to be equal.

What escapes: a loop on copies of the parameters that writes its result back once an epoch counts
as one update an epoch. The README says so; the time a step takes, printed beside the others', shows
it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from benchbase.api import Classifier, Task
from benchbase.errors import ContractError
from benchbase.judging.steps import Counted


class Network:
    """One network that ``build_model`` gave, as far as counting goes."""

    def __init__(self, model: Classifier) -> None:
        self.parameters = list(model.parameters())
        self.by_optimiser = 0
        self.elsewhere = 0
        """Updates outside an optimiser's step: writes in place, loaded states."""
        self._versions = self._read()
        self._digest = digest_of(self.parameters)
        self._updates_then = 0

    @property
    def updates(self) -> int:
        """All updates so far."""
        return self.by_optimiser + self.elsewhere

    def _read(self) -> list[int]:
        return [parameter._version for parameter in self.parameters]  # noqa: SLF001 - torch's own count

    def notice(self) -> None:
        """Count what happened since the last look as updates outside an optimiser."""
        now = self._read()
        self.elsewhere += max(
            (new - old for new, old in zip(now, self._versions, strict=True)), default=0
        )
        self._versions = now

    def step_taken(self) -> None:
        """Count one optimiser step."""
        self.by_optimiser += 1
        self._versions = self._read()

    def check_bytes(self) -> None:
        """Refuse parameters that changed without any update that could be counted.

        Raises:
            ContractError: they did.
        """
        digest = digest_of(self.parameters)
        if digest != self._digest and self.updates == self._updates_then:
            raise ContractError(
                "the parameters of a network changed without an optimiser's step and without an "
                "operation in place that torch notes (was `.data` written?): steps must be "
                "countable, since all methods get the same number; use an optimiser, or write in "
                "place under torch.no_grad()"
            )
        self._digest, self._updates_then = digest, self.updates


class Counter:
    """Counts updates and images of the networks of one run, by torch's global hooks."""

    def __init__(self) -> None:
        self.networks: list[Network] = []
        self._of: dict[int, Network] = {}
        """id of a parameter -> its network; networks keep their parameters alive."""
        self._heads: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._others: dict[int, int] = {}
        """id of a parameter of no known network -> optimiser steps."""
        self._fresh: list[tuple[str, str]] = []
        self._images = 0

    def watching(self, task: Task) -> Task:
        """Give the task with a ``build_model`` whose networks are counted."""
        build: Callable[[], Classifier] = task.build_model

        def build_counted() -> Classifier:
            model = build()
            network = Network(model)
            self.networks.append(network)
            self._of |= {id(parameter): network for parameter in network.parameters}
            self._heads.add(model.head)
            self._fresh = self._fresh or anatomy(model)
            return model

        return dataclasses.replace(task, build_model=build_counted)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count while the block runs."""
        handles = [
            register_optimizer_step_pre_hook(self._before_step),
            register_optimizer_step_post_hook(self._after_step),
            register_module_forward_pre_hook(self._forward),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def look(self, model: nn.Module) -> Counted:
        """Tell what was done up to a checkpoint with ``model``.

        Raises:
            ContractError: parameters changed in a way that cannot be counted.
        """
        for network in self.networks:
            network.notice()
            network.check_bytes()
        parameters = list(model.parameters())
        own = [self._of[id(each)].updates for each in parameters if id(each) in self._of]
        own += [self._others[id(each)] for each in parameters if id(each) in self._others]
        updates = tuple(network.updates for network in self.networks)
        return Counted(
            updates=updates,
            judged=max(own or updates, default=0),
            digest=digest_of([*model.state_dict().values()]),
            images_with_gradient=self._images,
            difference=_difference(self._fresh, anatomy(model)) if self._fresh else "another one",
        )

    def _owners(self, parameters: Iterable[Tensor]) -> set[Network]:
        return {self._of[id(each)] for each in parameters if id(each) in self._of}

    def _before_step(self, optimiser: Optimizer, *_: Any) -> None:
        for network in self._owners(_parameters(optimiser)):
            network.notice()

    def _after_step(self, optimiser: Optimizer, *_: Any) -> None:
        # A parameter without a gradient is not moved. Fused optimisers move no version.
        moved = [each for each in _parameters(optimiser) if each.grad is not None]
        for network in self._owners(moved):
            network.step_taken()
        for parameter in moved:
            if id(parameter) in self._of:
                continue
            if id(parameter) not in self._others:
                weakref.finalize(parameter, self._others.pop, id(parameter), None)
            self._others[id(parameter)] = self._others.get(id(parameter), 0) + 1

    def _forward(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if module in self._heads and torch.is_grad_enabled() and inputs:
            self._images += len(inputs[0])


def _parameters(optimiser: Optimizer) -> Iterator[Tensor]:
    for group in optimiser.param_groups:
        yield from group["params"]


def anatomy(model: nn.Module) -> list[tuple[str, str]]:
    """List the parts of a model: names, classes, shapes, and what was hung onto them."""
    parts = []
    for name, module in model.named_modules():
        extras = [
            hook for hook in ("_forward_hooks", "_forward_pre_hooks") if getattr(module, hook)
        ]
        extras += ["forward"] * ("forward" in vars(module))
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        parts.append((name, " with ".join([kind, *extras])))
    parts += [(name, str(tuple(value.shape))) for name, value in model.state_dict().items()]
    return parts


def _difference(expected: list[tuple[str, str]], got: list[tuple[str, str]]) -> str | None:
    """Name the first part in which two models differ; None where they do not."""
    if expected == got:
        return None
    theirs, ours = dict(got), dict(expected)
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name) != theirs.get(name):
            return (
                f"{name or 'the model'}: expected {ours.get(name, 'nothing')}, "
                f"got {theirs.get(name, 'nothing')}"
            )
    return "its parts stand in another order"


def digest_of(tensors: Sequence[Tensor]) -> str:
    """Hash the bytes of tensors."""
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()
