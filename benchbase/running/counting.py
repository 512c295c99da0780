"""Counts what a method does to its networks, whatever loop it writes: the steps are to be equal.

An update of a parameter is an optimiser's step that moves it, or any other write that comes after
a forward pass with gradient and before the next one. So writes before training (initialisation,
loaded states), after a step (projections, a swap for an evaluation) and into a network that no
gradient passes (a moving average) are none, and several writes by hand are one. Copies go on from
the count of what they were copied from.

What escapes: a loop on tensors outside of all networks that writes its result back once an epoch,
and a network that starts from a mixture of what others have learnt. The README says so; the
images passed with gradient and the time a step takes, printed beside the others', show it.
"""

from __future__ import annotations

import dataclasses
import secrets
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
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
from benchbase.judging.steps import LONGEST_REMARK, Counted
from benchbase.running.anatomy import anatomy, difference_of, digest_of
from benchbase.running.tally import Network, Tally, norm_of, same_norm, updates_behind, version_of

SPOT_CHECKS = 1 / 64
"""Share of the parameters passed with gradient whose values are compared at the next event."""
HIDDEN = (
    "the parameters of a network changed without an optimiser's step and without an operation in "
    "place that torch notes (was `.data` written?): steps must be countable, since all methods "
    "get the same number; use an optimiser, or write in place under torch.no_grad()"
)


class Counter:
    """Counts updates and images of the networks of one run, by torch's global hooks."""

    def __init__(self) -> None:
        self.networks: list[Network] = []
        self._tallies: dict[int, Tally] = {}
        """id of a parameter that is alive -> its tally."""
        self._alive: dict[int, weakref.ref[Tensor]] = {}
        self._at: defaultdict[int, dict[int, Tally]] = defaultdict(dict)
        """The same by position in their networks: copies stand where their sources do."""
        self._heads: set[nn.Module] = set()
        self._fresh: list[tuple[str, str]] = []
        self._images = 0
        self._events = 0
        self._begun: list[int] = []
        """The event at which each optimiser's step that is under way began."""
        self._hidden = False
        self._dice = secrets.SystemRandom()

    def watching(self, task: Task) -> Task:
        """Give the task with a ``build_model`` whose networks are counted."""
        build: Callable[[], Classifier] = task.build_model

        def build_counted() -> Classifier:
            model = build()
            network = Network(list(model.parameters()))
            last = next(reversed([*model.head.parameters()]), None)
            for position, parameter in enumerate(network.parameters):
                tally = Tally(version_of(parameter), network, position, ends_head=parameter is last)
                self._know(parameter, tally)
            self.networks.append(network)
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
        parameters: Any = nn.Parameter
        copy_plainly = parameters.__deepcopy__

        def copy_counted(parameter: nn.Parameter, memo: dict[int, Any]) -> Any:
            copied = copy_plainly(parameter, memo)
            self._copied(parameter, copied)
            return copied

        parameters.__deepcopy__ = copy_counted
        try:
            yield
        finally:
            parameters.__deepcopy__ = copy_plainly
            for handle in handles:
                handle.remove()

    def look(self, model: nn.Module) -> Counted:
        """Tell what was done up to a checkpoint with ``model``.

        Raises:
            ContractError: parameters changed in a way that cannot be counted.
        """
        known = [*self._known()]
        for parameter, tally in known:
            self._settle(parameter, tally)
        judged = self._judged(model)
        self._check_values(known)
        difference = self._difference(model)
        return Counted(
            updates=tuple(network.updates for network in self.networks),
            judged=judged,
            digest=digest_of([*model.state_dict().values()]),
            images_with_gradient=self._images,
            difference=difference and difference[:LONGEST_REMARK],
        )

    def go_on_from(self, counted: Counted) -> None:
        """Count on from what a journal says, once networks were put back as they were then."""
        # Never less than was seen in this life: what is trained before a loop counts as well.
        self._images = max(self._images, counted.images_with_gradient)
        for network, before in zip(self.networks, counted.updates, strict=False):
            network.updates = updates = max(network.updates, before)
            for parameter in network.parameters:
                tally = self._tallies[id(parameter)]
                tally.version, tally.updates = version_of(parameter), updates
                tally.trained, tally.passed, tally.mark = updates > 0, False, None
                tally.norm = norm_of(parameter).item()
                tally.then = (tally.version, updates)

    def _know(self, parameter: Tensor, tally: Tally) -> None:
        key = id(parameter)

        def forget(_: object) -> None:
            for each in (self._tallies, self._alive, self._at[tally.position]):
                each.pop(key, None)

        self._tallies[key] = self._at[tally.position][key] = tally
        self._alive[key] = weakref.ref(parameter, forget)
        tally.norm = norm_of(parameter).item()
        tally.then = (tally.version, tally.updates)

    def _known(self) -> Iterator[tuple[Tensor, Tally]]:
        for key, tally in [*self._tallies.items()]:
            parameter = self._alive[key]()
            if parameter is not None:
                yield parameter, tally

    def _judged(self, model: nn.Module) -> int:
        """Give the updates of a model; of its source where it was not trained itself."""
        known = [
            (each, self._tallies[id(each)])
            for each in model.parameters()
            if id(each) in self._tallies
        ]
        trained = [tally for _, tally in known if tally.trained]
        if trained:
            own = {tally.network for tally in trained if tally.source is None} - {None}
            return max(each.updates for each in (*trained, *own) if each is not None)
        copies = [updates_behind(each, tally) for each, tally in known if tally.source is not None]
        return max(copies or [network.updates for network in self.networks], default=0)

    def _difference(self, model: nn.Module) -> str | None:
        if not self._fresh:
            return "build_model was never called"
        for name, parameter in model.named_parameters():
            tally = self._tallies.get(id(parameter))
            if tally is None or tally.network is None:
                new = f"{name}: expected a parameter of build_model() or of a copy, got a new one"
                return difference_of(self._fresh, model) or new
        return difference_of(self._fresh, model)

    def _check_values(self, known: list[tuple[Tensor, Tally]]) -> None:
        """Look for parameters that changed since the last checkpoint without any count.

        Averages may be written in any way: no gradient passes them, and they have a source.
        """
        somewhere = any(network.updates for network in self.networks)
        for parameter, tally in known:
            if tally.network is None or tally.source is not None:
                continue
            norm, then = norm_of(parameter).item(), (tally.version, tally.updates)
            average = somewhere and not (tally.trained or tally.passed)
            if then == tally.then and not average and not same_norm(norm, tally.norm):
                self._hidden = True
            tally.norm, tally.then = norm, then
        if self._hidden:
            raise ContractError(HIDDEN)

    def _update(self, tally: Tally) -> None:
        self._events += 1
        tally.event = self._events
        tally.updates += 1
        tally.trained, tally.passed = True, False
        network = tally.network
        if network is not None and tally.source is None:
            # Once a pass, however many optimisers share the parameters.
            first = tally.last_pass > network.counted
            network.updates = max(network.updates + first, tally.updates)
            network.counted = network.passes

    def _settle(self, parameter: Tensor, tally: Tally) -> None:
        """Look whether a parameter was written since it was last seen."""
        version = version_of(parameter)
        if version == tally.version:
            if tally.mark is not None:
                self._hidden |= not same_norm(tally.mark.item(), norm_of(parameter).item())
        elif tally.passed:
            self._update(tally)
        else:
            self._inherit(parameter, tally)
        tally.version, tally.mark = version, None

    def _inherit(self, parameter: Tensor, tally: Tally) -> None:
        """Take over the count of a parameter whose value was written here."""
        if tally.network is None:
            return
        for key, other in [*self._at[tally.position].items()]:
            theirs = self._alive[key]()
            # Those with more updates only, so that a projection after each step costs nothing.
            if other.updates > tally.updates and theirs is not None and _equal(theirs, parameter):
                tally.updates = other.updates

    def _copied(self, parameter: nn.Parameter, copied: nn.Parameter) -> None:
        source = self._tallies.get(id(parameter))
        if source is None or id(copied) in self._tallies:
            return
        if source.passed:
            self._settle(parameter, source)
        version = version_of(copied)
        tally = dataclasses.replace(source, version=version, source=source, trained=False)
        tally.passed, tally.mark = False, None
        self._know(copied, tally)

    def _before_step(self, optimiser: Optimizer, *_: Any) -> None:
        self._begun.append(self._events)
        for parameter in _parameters(optimiser):
            tally = self._tallies.get(id(parameter))
            if tally is None:
                self._know(parameter, Tally(version_of(parameter)))
            elif tally.passed and version_of(parameter) != tally.version:
                # Written by hand after the gradient: part of the update that follows.
                tally.version, tally.mark = version_of(parameter), None
            elif tally.mark is not None or version_of(parameter) != tally.version:
                self._settle(parameter, tally)

    def _after_step(self, optimiser: Optimizer, *_: Any) -> None:
        begun = self._begun.pop()
        for parameter in _parameters(optimiser):
            tally = self._tallies.get(id(parameter))
            if tally is None:
                continue
            # A parameter without a gradient is not moved. Fused optimisers move no version.
            moved = parameter.grad is not None or version_of(parameter) != tally.version
            # Steps within this one, of a closure or of an optimiser inside, are counted already.
            if moved and (tally.event <= begun or tally.passed):
                self._update(tally)
            tally.version, tally.mark = version_of(parameter), None

    def _forward(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if not torch.is_grad_enabled():
            return
        if module in self._heads and inputs:
            self._images += len(inputs[0])
        for parameter in module._parameters.values():  # noqa: SLF001 - parameters() is slow
            tally = self._tallies.get(id(parameter))
            if tally is None or parameter is None or not parameter.requires_grad:
                continue
            if tally.mark is not None or version_of(parameter) != tally.version:
                self._settle(parameter, tally)
            tally.passed = True
            if tally.source is not None:
                self._images += len(inputs[0]) if tally.ends_head and inputs else 0
            elif tally.network is not None:
                tally.network.passes += tally.last_pass == tally.network.passes
                tally.last_pass = tally.network.passes
            if self._dice.random() < SPOT_CHECKS:
                tally.mark = norm_of(parameter)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _parameters(optimiser: Optimizer) -> Iterator[Tensor]:
    for group in optimiser.param_groups:
        yield from group["params"]
