"""Weighting networks learned from trusted images: Meta-Weight-Net's engine for any signals."""

from __future__ import annotations

import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import LossWeighter, Need, Step, Task, option
from benchbase.kit.bilevel import LEAST_SUM, hypergradient
from benchbase.kit.descent import has_fused_steps
from benchbase.kit.loops import endless_batches

FADED = 0.02
"""Mean weight below which learning has all but stopped."""


WEIGHT_DECAY = 1e-4
"""Of the weighting network, as in the official code."""


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
    meta_every: int = option(1, "steps from one step of the weighting network to the next", min=1)
    meta_from: float = option(
        0.0,
        "share of the epochs, at least one unless 0, that come before and weigh all images alike",
        min=0,
        max=1,
    )
    normalisation: str = option(
        "none", "sum: weights of a batch are brought to the mean one", choices=("none", "sum")
    )
    class_input: bool = option(False, "tell the weighting network the observed class")
    floor: float = option(0.0, "smallest weight of an image, before normalisation", min=0, max=1)
    clip: float = option(
        0.0, "largest norm of the weighting network's gradient (0: no limit)", min=0
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
        """Build the weighting network; it takes a step on a trusted batch every ``meta_every``."""
        start = max(1, round(self.meta_from * task.recipe.epochs)) if self.meta_from else 0
        signals, describe = self.describe(task)
        with task.seeded("weighting network"):
            network = self.network(signals + self.class_input * task.num_classes).to(task.device)
        optimiser = torch.optim.Adam(
            network.parameters(),
            lr=self.meta_learning_rate,
            weight_decay=WEIGHT_DECAY,
            fused=has_fused_steps(network.parameters()),
        )
        trusted = endless_batches(task, task.trusted, "trusted", task.recipe.trusted_batch_size)
        _warn_of_missing_classes(task)
        normalised = self.normalisation == "sum"
        warn_if_faded = _watch()
        steps = 0

        def weights_of(described: Tensor) -> Tensor:
            weights: Tensor = self.floor + (1 - self.floor) * network(described).squeeze(1)
            return weights

        def weigh(step: Step) -> Tensor:
            nonlocal steps
            described = describe(step)
            if step.epoch < start:
                return torch.ones_like(step.losses)
            if self.class_input:
                observed = F.one_hot(step.batch.labels, task.num_classes).to(described)
                described = torch.cat((described, observed), dim=1)
            steps += 1
            if (steps - 1) % self.meta_every == 0:
                weights = weights_of(described)
                optimiser.zero_grad()
                weights.backward(hypergradient(step, weights, next(trusted), normalised=normalised))
                if self.clip:
                    nn.utils.clip_grad_norm_(network.parameters(), self.clip)
                optimiser.step()
            with torch.no_grad():
                new = weights_of(described)
            warn_if_faded(new, step.epoch)
            if normalised:
                new = new * len(new) / new.sum().clamp_min(LEAST_SUM)
            return new

        return weigh


def _warn_of_missing_classes(task: Task) -> None:
    missing = set(task.train.labels.tolist()) - set(task.trusted.labels.tolist())
    if missing:
        names = ", ".join(task.class_names[label] for label in sorted(missing))
        warnings.warn(
            f"no trusted image is of {names}: weights are learned from the other classes alone",
            RuntimeWarning,
            stacklevel=3,
        )


def _watch() -> Callable[[Tensor, int], None]:
    """Give what says once that weights have faded; it looks once an epoch: a look stalls a GPU."""
    looked_at = 0

    def look(weights: Tensor, epoch: int) -> None:
        nonlocal looked_at
        if epoch <= looked_at:
            return
        looked_at = epoch
        mean = float(weights.mean())
        if mean < FADED:
            looked_at = sys.maxsize
            warnings.warn(
                f"the mean weight fell to {mean:.3g} in epoch {epoch}: learning has all but "
                "stopped (normalisation=sum or a floor prevents it)",
                RuntimeWarning,
                stacklevel=2,
            )

    return look
