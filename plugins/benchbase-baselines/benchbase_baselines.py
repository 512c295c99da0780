"""Baselines: plain cross-entropy, focal loss, Meta-Weight-Net, and three controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from benchbase.api import (
    Checkpoint,
    Honesty,
    Images,
    LossWeighter,
    Need,
    Step,
    Task,
    Weighter,
    hookimpl,
    option,
)
from benchbase.kit.loops import supervised
from benchbase.kit.meta import MetaWeighter

BENCHBASE_API = 2


def uniform(step: Step) -> Tensor:
    """Give every image the weight one."""
    return torch.ones_like(step.losses)


@dataclass(frozen=True)
class ERM(LossWeighter):
    """Empirical risk minimisation: plain cross-entropy, no label smoothing; every weight is one."""

    name: ClassVar[str] = "erm"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Give the uniform weights."""
        return uniform


@dataclass(frozen=True)
class Focal(LossWeighter):
    """Focal loss: weight (1 - p)^gamma, where p is the probability of the observed class.

    As published, the gradient also flows through the weight. The balancing factor alpha, which
    belongs to the two-class detection task of the paper, is left out.
    """

    name: ClassVar[str] = "focal"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Lin, Goyal, Girshick, He, Dollar: Focal loss for dense object detection. ICCV 2017. "
        "https://arxiv.org/abs/1708.02002"
    )
    gamma: float = option(2.0, "how much easy images are turned down; 0 is ERM", min=0)

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Give the focusing weights."""

        def weigh(step: Step) -> Tensor:
            # 1 - p of a loss l is 1 - exp(-l). Cross-entropy in float32 may round to 0, where the
            # slope of a power below one is infinite; the floor keeps it finite.
            miss = -torch.expm1(-step.losses)
            return miss.clamp_min(torch.finfo(miss.dtype).tiny) ** self.gamma

        return weigh


@dataclass(frozen=True)
class MWNet(MetaWeighter):
    """Meta-Weight-Net: a small network learns from trusted images which losses to believe.

    Faithful to the paper and its official code: the 1-100-1 network with a sigmoid, Adam at 1e-3
    with weight decay 1e-4, batch means in the virtual and the real step, the order (virtual step,
    network step, real step with the new weights), the trusted batch normalised by its own
    statistics. The gradient is the exact one, computed without double backward. The rest
    (schedule, batches, epochs) follows the benchmark's recipe.

    On short schedules it often turns the wrong way: in the first hundred or so steps all weights
    rise, those of large losses most, and at the official rate of 1e-3 some hundreds of steps do
    not bring them back. The AUROC of its weights on the boards shows it. On digits with 100 + 100
    images, 40 % noise and 400 steps it is above 0.9, which a test holds.
    """

    name: ClassVar[str] = "mwnet"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Shu, Xie, Yi, Zhao, Zhou, Xu, Meng: Meta-Weight-Net: learning an explicit mapping for "
        "sample weighting. NeurIPS 2019. https://arxiv.org/abs/1902.07379"
    )

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        """Describe an image by its loss."""
        return 1, lambda step: step.losses.detach().unsqueeze(1)


@dataclass(frozen=True)
class RandomWeights(LossWeighter):
    """Control: weights drawn uniformly from 0 to 2 (mean one) at each step, whatever the image."""

    name: ClassVar[str] = "random-weights"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Open the stream of weights."""
        stream = task.rng("weights")
        return lambda step: 2 * torch.rand(len(step.losses), generator=stream).to(step.losses)


@dataclass(frozen=True)
class ERMMix(Weighter):
    """Control: ERM on the training and the trusted images together.

    Each trusted image counts as one more training image. Optimiser steps are those of ERM: an
    epoch has as many batches as without the trusted images, drawn from the reshuffled union.
    """

    name: ClassVar[str] = "erm-mix"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED})

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train on the union."""
        both = (task.train, task.trusted)
        labels = torch.cat([part.labels for part in both])
        pixels = torch.cat([part.pixels[part.rows] for part in both])
        union = Images(pixels, labels, torch.arange(len(labels), device=labels.device))
        yield from supervised(task, task.build_model(), uniform, data=union)


@dataclass(frozen=True)
class ERMFinetune(Weighter):
    """Control: ERM on the training images, then fine-tuning of all layers on the trusted ones.

    The last ``share`` of the epochs are the fine-tuning: half of them, so that the last five
    epochs, which the headline rule averages, are all tuned where there are ten. Epochs keep their
    number of optimiser steps, so that the total is ERM's. Both phases follow the recipe's schedule
    on their own.
    """

    name: ClassVar[str] = "erm-finetune"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED})
    share: float = option(0.5, "share of the epochs that fine-tune, at least one", min=0, max=1)
    rate: float = option(0.1, "fine-tuning's learning rate as a share of the recipe's", min=0)

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train, then fine-tune."""
        model = task.build_model()
        tuning_epochs = max(1, round(self.share * task.recipe.epochs))
        weights = None
        for checkpoint in supervised(
            task, model, uniform, epochs=task.recipe.epochs - tuning_epochs
        ):
            weights = checkpoint.weights
            yield checkpoint
        for checkpoint in supervised(
            task,
            model,
            uniform,
            epochs=tuning_epochs,
            data=task.trusted,
            phase="fine-tuning",
            learning_rate=self.rate * task.recipe.learning_rate,
        ):
            yield replace(checkpoint, weights=weights)


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give the baselines."""
    return [ERM, Focal, MWNet, ERMMix, ERMFinetune, RandomWeights]
