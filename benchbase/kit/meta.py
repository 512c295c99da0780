"""Weighting networks learned from trusted images: Meta-Weight-Net's engine for any signals."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchbase.api import LossWeighter, Need, Step, Task, option
from benchbase.kit.bilevel import LEAST_SUM, hypergradient
from benchbase.kit.loops import endless_batches

FADED = 0.02
"""Mean weight below which learning has all but stopped."""


@dataclass(frozen=True)
class GuardRails:
    """What keeps a weighting network from collapsing."""

    warm_up: float
    floor: float
    clip: float


PRESETS = {
    "paper-like": GuardRails(warm_up=0.0, floor=0.0, clip=math.inf),
    "practical": GuardRails(warm_up=0.05, floor=0.01, clip=10.0),
}


@dataclass(frozen=True)
class MetaWeighter(LossWeighter):
    """A small network maps what describes an image to its weight, and learns on trusted images.

    Each step looks ahead: a virtual step with the network's weights, the trusted loss after it,
    and the exact gradient of that loss for the network, which takes a step of Adam; the real step
    has the new weights (Shu et al., NeurIPS 2019, equations 3 to 5). Methods of this family differ
    in ``describe``, some in ``network``, and in nothing else.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED})
    hidden: int = option(100, "width of the weighting network's hidden layer", min=1)
    meta_learning_rate: float = option(1e-3, "Adam's rate for the weighting network", min=0)
    meta_weight_decay: float = option(1e-4, "weight decay of the weighting network", min=0)
    normalisation: str = option(
        "none", "sum: weights of a batch are brought to the mean one", choices=("none", "sum")
    )
    preset: str = option(
        "paper-like",
        "what warm_up, floor and clip are: paper-like has none of them, practical has 0.05, 0.01 "
        "and 10",
        choices=tuple(PRESETS),
    )
    warm_up: float | None = option(
        None, "share of the epochs that weigh all images alike, at least one unless 0", min=0, max=1
    )
    floor: float | None = option(None, "smallest weight of an image", min=0, max=1)
    clip: float | None = option(
        None, "largest norm of the weighting network's gradient (0: no limit)", min=0
    )

    @abstractmethod
    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        """Tell how many signals describe an image, and how to compute them.

        The function gives a step's signals, shape (batch, signals), detached. It is called once
        a step, also while warming up, so that it may keep a memory.
        """

    def network(self, signals: int) -> nn.Module:
        """Build the network from signals (batch, signals) to weights (batch, 1) in (0, 1)."""
        return nn.Sequential(
            nn.Linear(signals, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 1), nn.Sigmoid()
        )

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Build the weighting network; each step trains it once on a trusted batch."""
        rails = self._guard_rails()
        warm_up = max(1, round(rails.warm_up * task.recipe.epochs)) if rails.warm_up else 0
        signals, describe = self.describe(task)
        with task.seeded("weighting network"):
            network = self.network(signals).to(task.device)
        optimiser = torch.optim.Adam(
            network.parameters(), lr=self.meta_learning_rate, weight_decay=self.meta_weight_decay
        )
        trusted = endless_batches(task, task.trusted, "trusted", task.recipe.trusted_batch_size)
        _warn_of_missing_classes(task)
        normalised = self.normalisation == "sum"
        watch = _Watch()

        def weigh(step: Step) -> Tensor:
            described = describe(step)
            if step.epoch < warm_up:
                return torch.ones_like(step.losses)
            weights = rails.floor + (1 - rails.floor) * network(described).squeeze(1)
            optimiser.zero_grad()
            weights.backward(hypergradient(step, weights, next(trusted), normalised=normalised))
            if rails.clip < math.inf:
                nn.utils.clip_grad_norm_(network.parameters(), rails.clip)
            optimiser.step()
            with torch.no_grad():
                new: Tensor = rails.floor + (1 - rails.floor) * network(described).squeeze(1)
            watch.look(new, step.epoch)
            if normalised:
                new = new * len(new) / new.sum().clamp_min(LEAST_SUM)
            return new

        return weigh

    def _guard_rails(self) -> GuardRails:
        preset = PRESETS[self.preset]
        return GuardRails(
            warm_up=preset.warm_up if self.warm_up is None else self.warm_up,
            floor=preset.floor if self.floor is None else self.floor,
            clip=preset.clip if self.clip is None else self.clip or math.inf,
        )


def _warn_of_missing_classes(task: Task) -> None:
    missing = set(task.train.labels.tolist()) - set(task.trusted.labels.tolist())
    if missing:
        names = ", ".join(task.class_names[label] for label in sorted(missing))
        warnings.warn(
            f"no trusted image is of {names}: weights are learned from the other classes alone",
            RuntimeWarning,
            stacklevel=3,
        )


class _Watch:
    """Says once that the weights have faded; looks once an epoch, for a look stalls a GPU."""

    def __init__(self) -> None:
        self._epoch = 0

    def look(self, weights: Tensor, epoch: int) -> None:
        if epoch <= self._epoch:
            return
        self._epoch = epoch
        mean = float(weights.mean())
        if mean < FADED:
            self._epoch = 10**9
            warnings.warn(
                f"the mean weight fell to {mean:.3g} in epoch {epoch}: learning has all but "
                "stopped (normalisation=sum or a floor prevents it)",
                RuntimeWarning,
                stacklevel=2,
            )
