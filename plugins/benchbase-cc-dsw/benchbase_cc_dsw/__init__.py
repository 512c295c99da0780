"""CC-DSW: sample weights learned from class correlations; and a control that does not learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchbase.api import Honesty, LossWeighter, Step, Task, Weighter, hookimpl, option
from benchbase.kit.loops import predict
from benchbase.kit.memory import ClassMeans, unit
from benchbase.kit.meta import MetaWeighter
from benchbase_cc_dsw.correlations import correlations, fill_in

BENCHBASE_API = 2
BUMP = 0.25
"""Width of the control's bump, in units of a correlation."""


class TwoStage(nn.Module):
    """Makes one number of each space's pair of correlations, then weighs by these together."""

    def __init__(self, spaces: int, hidden: int, class_signals: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 1))
            for _ in range(spaces)
        )
        self.weigher = nn.Sequential(
            nn.Linear(spaces + class_signals, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
            nn.Sigmoid(),
        )

    def forward(self, signals: Float[Tensor, "batch signals"]) -> Float[Tensor, "batch 1"]:
        """Map signals, the pairs first, to weights."""
        pairs = torch.split(signals[:, : 2 * len(self.encoders)], 2, dim=1)
        codes = [encode(pair) for encode, pair in zip(self.encoders, pairs, strict=True)]
        weights: Tensor = self.weigher(torch.cat([*codes, signals[:, 2 * len(codes) :]], dim=1))
        return weights


@dataclass(frozen=True)
class CCDSW(MetaWeighter):
    """CC-DSW (reconstruction): learns weights from correlations with the own and other classes.

    What describes an image: its mean similarity to the rest of its class and to the nearest other
    class, among features and among predictions; the batch and a memory of the classes count
    together. Known from the abstract: both spaces, intra- and inter-class correlations, a
    weighting network trained in alternation by meta-learning. From a public repository that is
    very likely the authors', and stops before the method: one small network with a sigmoid and a
    second without. Inferred: the formulas of the correlations, the memory and its share (kappa),
    the one network of ``fusion=flat``.
    """

    name: ClassVar[str] = "cc-dsw"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.RECONSTRUCTION
    paper: ClassVar[str] = (
        "Yi, Ma, Liu, Hai, Li, Han, Chao, Niu, Song: A new class correlation-based dynamic sample "
        "weighting method for medical image classification. Applied Intelligence 2025. "
        "https://doi.org/10.2139/ssrn.5070203 (preprint)"
    )
    fusion: str = option(
        "flat",
        "flat: one network; two_stage: a network for each space, then one for both",
        choices=("flat", "two_stage"),
    )
    spaces: str = option(
        "both", "where correlations are computed", choices=("both", "feature", "label")
    )
    operator: str = option(
        "cosine",
        "similarity of two predictions: cosine, or the inner product of probabilities",
        choices=("cosine", "agreement"),
    )
    other: str = option(
        "nearest", "other classes: the nearest, or all pooled", choices=("nearest", "pooled")
    )
    source: str = option(
        "ema",
        "memory of the classes: moving averages, or at each epoch the trusted images (meta)",
        choices=("ema", "meta"),
    )
    kappa: float = option(
        1.0, "how many images of a batch the memory of a class is worth; 0: the batch alone", min=0
    )

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        """Give each space's intra- and inter-class correlation."""
        self._warn(task)
        signals = 2 * self._count_spaces()
        fill = fill_in(signals, task.device)
        memories: list[ClassMeans] = []
        epoch = -1

        def remember(spaces: list[Tensor], labels: Tensor) -> None:
            for rows, memory in zip(spaces, memories, strict=True):
                memory.update(rows, labels)

        @torch.no_grad()
        def describe(step: Step) -> Tensor:
            nonlocal epoch
            spaces, labels = self.rows(step.features, step.logits), step.batch.labels
            from_trusted = self.source == "meta"
            if not memories or (from_trusted and step.epoch > epoch):
                memories[:] = [
                    ClassMeans(task.num_classes, rows.shape[1], task.device) for rows in spaces
                ]
                if from_trusted:
                    remember(
                        self.rows(*predict(task, step.model, task.trusted)), task.trusted.labels
                    )
                epoch = step.epoch
            pairs = [
                correlations(
                    rows, labels, memory.means, self.kappa * memory.seen.to(rows), self.other
                )
                for rows, memory in zip(spaces, memories, strict=True)
            ]
            if not from_trusted:
                remember(spaces, labels)
            values, known = (torch.cat(part, dim=1) for part in zip(*pairs, strict=True))
            return fill(values, known)

        return signals, describe

    def network(self, signals: int) -> nn.Module:
        """Build the network, or the two stages of networks."""
        if self.fusion == "flat":
            return super().network(signals)
        spaces = self._count_spaces()
        return TwoStage(spaces, self.hidden, signals - 2 * spaces)

    def rows(
        self, features: Float[Tensor, "batch width"], logits: Float[Tensor, "batch classes"]
    ) -> list[Tensor]:
        """Give each space's vectors, whose inner products are the similarities."""
        spaces = []
        if self.spaces != "label":
            spaces.append(unit(features))
        if self.spaces != "feature":
            probabilities = logits.softmax(1)
            # Not finite means zero here too: the memory stays clean, the loop reports the loss.
            is_cosine = self.operator == "cosine"
            spaces.append(unit(probabilities) if is_cosine else probabilities.nan_to_num(0.0))
        return spaces

    def _count_spaces(self) -> int:
        return 2 if self.spaces == "both" else 1

    def _warn(self, task: Task) -> None:
        if self.kappa == 0:
            counts = torch.bincount(task.train.labels, minlength=task.num_classes)
            rarest = int(counts[counts > 0].min()) * task.recipe.batch_size / len(task.train)
            if rarest < 2:
                warnings.warn(
                    f"a batch has {rarest:.2g} images of the rarest class on average, too few to "
                    "compare with each other: let the memory count (kappa above 0)",
                    RuntimeWarning,
                    stacklevel=2,
                )
        if self.source == "meta" and len(torch.unique(task.trusted.labels)) < task.num_classes:
            warnings.warn(
                "the trusted images lack a class: correlations with it come from the batch alone",
                RuntimeWarning,
                stacklevel=2,
            )


@dataclass(frozen=True)
class CCDSWBump(LossWeighter):
    """Control: CC-DSW's correlations through a fixed bump, which favours the class boundaries.

    The weight is exp(-m^2 / (2 s^2)), where m is the intra- less the inter-class correlation, the
    mean over both spaces, and s is 0.25. Nothing is learned, no trusted image is needed.
    """

    name: ClassVar[str] = "cc-dsw-bump"
    version: ClassVar[str] = "1"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Start the memory of the classes."""
        _, describe = CCDSW().describe(task)

        def weigh(step: Step) -> Tensor:
            intra, inter = describe(step).view(-1, 2, 2).mean(1).unbind(1)
            return torch.exp(-(intra - inter).square() / (2 * BUMP**2))

        return weigh


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give CC-DSW and its control."""
    return [CCDSW, CCDSWBump]
