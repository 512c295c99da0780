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
from benchbase.errors import UsageError
from benchbase.kit.meta import MetaWeighter
from benchbase_cc_dsw.correlations import unit
from benchbase_cc_dsw.correlator import Correlator

BENCHBASE_API = 2


class TwoStage(nn.Module):
    """Encodes each space's pair of correlations, then weighs by the encodings together."""

    def __init__(self, spaces: int, embedding: int, hidden: int, class_signals: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, embedding))
            for _ in range(spaces)
        )
        self.weigher = nn.Sequential(
            nn.Linear(spaces * embedding + class_signals, hidden),
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

    Seen: where two classes of points overlap little and 30 % of the labels are wrong, the regime
    of the tests, its weights find the wrong labels, so the code can. On the board `nuclei` they
    do at 20 % noise while classes are balanced, hardly at 40 %, and not under 1:10 imbalance; on
    `fashion-mnist-6k` under symmetric noise and not under pair noise. They stay nearly equal in
    runs that short (effective sample size mostly above 99 %), so that they hardly act.
    ``cc-dsw-bump``, which learns nothing, is not behind.
    """

    name: ClassVar[str] = "cc-dsw"
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
    embedding: int = option(1, "width of a space's encoding in two_stage fusion", min=1)
    spaces: str = option(
        "both", "where correlations are computed", choices=("both", "feature", "label")
    )
    operator: str = option(
        "cosine",
        "similarity of two predictions: cosine, or the inner product of probabilities",
        choices=("cosine", "agreement"),
    )
    centre: str = option(
        "none", "row: Pearson correlation of features instead of cosine", choices=("none", "row")
    )
    other: str = option(
        "nearest", "other classes: the nearest, or all pooled", choices=("nearest", "pooled")
    )
    source: str = option(
        "ema",
        "memory of the classes: moving average, none (batch), the last 50 images of each, or the "
        "trusted images (meta)",
        choices=("ema", "batch", "queue", "meta"),
    )
    kappa: float = option(1.0, "how many images of a batch the memory of a class is worth", min=0)
    class_input: bool = option(False, "tell the weighting network the observed class")

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        if self.spaces == "label" and self.centre == "row":
            raise ValueError(
                "centre=row is for features: Pearson correlations of two-class predictions are "
                "+1 or -1 whatever the network says; use centre=none or spaces=both"
            )

    def describe(self, task: Task) -> tuple[int, Correlator]:
        """Give the correlations of each space, then the observed class if it is asked for."""
        if task.num_classes < 2:
            raise UsageError(
                f"{self.name} compares classes: expected two or more, got {task.num_classes}"
            )
        self._warn(task)
        signals = 2 * (1 + (self.spaces == "both")) + self.class_input * task.num_classes
        return signals, Correlator(self, task)

    def network(self, signals: int) -> nn.Module:
        """Build the network, or the two stages of networks."""
        if self.fusion == "flat":
            return super().network(signals)
        spaces = 1 + (self.spaces == "both")
        return TwoStage(spaces, self.embedding, self.hidden, signals - 2 * spaces)

    def rows(
        self, features: Float[Tensor, "batch width"], logits: Float[Tensor, "batch classes"]
    ) -> list[Tensor]:
        """Give each space's vectors, whose inner products are the similarities."""
        spaces = []
        if self.spaces != "label":
            centre = features.mean(1, keepdim=True) if self.centre == "row" else 0.0
            spaces.append(unit(features - centre))
        if self.spaces != "feature":
            probabilities = logits.softmax(1)
            # Not finite means zero here too: the memory stays clean, the loop reports the loss.
            is_cosine = self.operator == "cosine"
            spaces.append(unit(probabilities) if is_cosine else probabilities.nan_to_num(0.0))
        return spaces

    def _warn(self, task: Task) -> None:
        if self.source == "batch" or self.kappa == 0:
            counts = torch.bincount(task.train.labels, minlength=task.num_classes)
            rarest = int(counts[counts > 0].min()) * task.recipe.batch_size / len(task.train)
            if rarest < 2:
                warnings.warn(
                    f"a batch has {rarest:.2g} images of the rarest class on average, too few to "
                    "compare with each other: choose a memory (source=ema and kappa above 0)",
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
    mean over both spaces. Nothing is learned, no trusted image is needed.
    """

    name: ClassVar[str] = "cc-dsw-bump"
    width: float = option(0.25, "s, the width of the bump", min=0.01)

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Start the memory of the classes."""
        _, describe = CCDSW().describe(task)

        def weigh(step: Step) -> Tensor:
            intra, inter = describe(step).view(-1, 2, 2).mean(1).unbind(1)
            return torch.exp(-(intra - inter).square() / (2 * self.width**2))

        return weigh


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give CC-DSW and its control."""
    return [CCDSW, CCDSWBump]
