"""Baselines: plain cross-entropy, robust losses, Meta-Weight-Net, and controls with oracles."""

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
    Losses,
    LossWeighter,
    Need,
    Step,
    Task,
    Weighter,
    hookimpl,
    option,
)
from benchbase.kit.bilevel import LEAST_SUM
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
    version: ClassVar[str] = "1"

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
    version: ClassVar[str] = "1"
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
class GCE(LossWeighter):
    """Generalised cross-entropy: (1 - p^q) / q, where p is the observed class's probability.

    Between cross-entropy (q towards 0) and mean absolute error (q = 1), which wrong labels move
    less. Its gradient is cross-entropy's times p^q, which is the weight that is reported. The
    truncated variant of the paper, which prunes images now and then, is left out.
    """

    name: ClassVar[str] = "gce"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Zhang, Sabuncu: Generalized cross entropy loss for training deep neural networks with "
        "noisy labels. NeurIPS 2018. https://arxiv.org/abs/1805.07836"
    )
    q: float = option(0.7, "from cross-entropy, near 0, to mean absolute error", min=0.01, max=1)

    def prepare(self, task: Task) -> Callable[[Step], Losses]:
        """Give the losses, and p^q as weights."""

        def lose(step: Step) -> Losses:
            # From the logarithm of p, for p itself rounds to 1 where a slope is still left.
            losses = -torch.expm1(-self.q * step.losses) / self.q
            return Losses(losses, weights=torch.exp(-self.q * step.losses.detach()))

        return lose


@dataclass(frozen=True)
class ELR(LossWeighter):
    """Early-learning regularisation: predictions are held to their own moving average.

    The loss of the paper and of its official code, cross-entropy + strength * log(1 - <t, p>), with
    the values that the paper uses for CIFAR-10 with symmetric noise. ELR+, with two networks and
    mixup, is left out. Nothing in it is a weight, so none is reported.
    """

    name: ClassVar[str] = "elr"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Liu, Niles-Weed, Razavian, Fernandez-Granda: Early-learning regularization prevents "
        "memorization of noisy labels. NeurIPS 2020. https://arxiv.org/abs/2007.00151"
    )
    memory: float = option(0.7, "share of the moving average that a step keeps", min=0, max=1)
    strength: float = option(3.0, "how much the moving average counts; 0 is ERM", min=0)

    def prepare(self, task: Task) -> Callable[[Step], Losses]:
        """Open the moving averages, one for each training image."""
        averages = torch.zeros(len(task.train), task.num_classes, device=task.device)

        def lose(step: Step) -> Losses:
            p, rows = step.logits.softmax(1).clamp(1e-4, 1 - 1e-4), step.batch.rows
            now = p.detach() / p.detach().sum(1, keepdim=True)
            averages[rows] = self.memory * averages[rows] + (1 - self.memory) * now
            agreement = (averages[rows] * p).sum(1)
            return Losses(step.losses + self.strength * torch.log1p(-agreement))

        return lose


@dataclass(frozen=True)
class MWNet(MetaWeighter):
    """Meta-Weight-Net: a small network learns from trusted images which losses to believe.

    Faithful to the paper and its official code: the 1-100-1 network with a sigmoid, Adam at 1e-3
    with weight decay 1e-4, batch means in the virtual and the real step, the order (virtual step,
    network step, real step with the new weights), the trusted batch normalised by its own
    statistics. The gradient is the exact one, computed without double backward. The rest
    (schedule, batches, epochs) follows the benchmark's recipe.
    """

    name: ClassVar[str] = "mwnet"
    version: ClassVar[str] = "1"
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
    version: ClassVar[str] = "1"

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
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUSTED})

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train on the union."""
        union = _union(task.train, task.trusted)
        yield from supervised(task, task.build_model(), uniform, data=union)


@dataclass(frozen=True)
class ERMFinetune(Weighter):
    """Control: ERM on the training images, then fine-tuning of all layers on the trusted ones.

    The last ``share`` of the epochs are the fine-tuning. Epochs keep their
    number of optimiser steps, so that the total is ERM's. Both phases follow the recipe's schedule
    on their own.
    """

    name: ClassVar[str] = "erm-finetune"
    version: ClassVar[str] = "1"
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


@dataclass(frozen=True)
class OracleWeights(LossWeighter):
    """Control: what perfect weights would bring: 1 for a right label, 0 for a wrong one.

    Brought to the mean one in each batch, as far as it has a right label at all.
    """

    name: ClassVar[str] = "oracle-weights"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUTH})
    balanced: bool = option(False, "whether the right labels of each class weigh as much together")

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Look up which labels are right."""
        is_right = task.train.labels == task.truth
        weight_of_row = is_right.float()
        if self.balanced:
            counts = task.truth[is_right].bincount(minlength=task.num_classes)
            weight_of_row = weight_of_row * len(task.train) / counts.clamp_min(1)[task.truth]

        def weigh(step: Step) -> Tensor:
            weights = weight_of_row[step.batch.rows]
            return weights * (len(weights) / weights.sum().clamp_min(LEAST_SUM))

        return weigh


@dataclass(frozen=True)
class OracleLabels(Weighter):
    """Control: ERM on the true labels, also of the images whose labels are withheld.

    Optimiser steps are those of ERM, which include withheld images.
    """

    name: ClassVar[str] = "oracle-labels"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRUTH, Need.UNLABELLED})

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train on the union of both with their true labels."""
        every_row = torch.arange(len(task.train), device=task.device)
        corrected = task.train.relabelled(every_row, task.truth)
        union = _union(corrected, task.unlabelled)
        yield from supervised(task, task.build_model(), uniform, data=union)


def _union(*parts: Images) -> Images:
    labels = torch.cat([part.labels for part in parts])
    pixels = torch.cat([part.pixels[part.rows] for part in parts])
    return Images(pixels, labels, torch.arange(len(labels), device=labels.device))


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give the baselines."""
    return [
        ERM,
        Focal,
        GCE,
        ELR,
        MWNet,
        ERMMix,
        ERMFinetune,
        RandomWeights,
        OracleWeights,
        OracleLabels,
    ]
