"""DLSA-SW: sample weights learned from ambiguity; and a control that does not learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from benchbase.api import Honesty, LossWeighter, Step, Task, Weighter, hookimpl, option
from benchbase.kit.memory import ClassMeans, unit
from benchbase.kit.meta import MetaWeighter

BENCHBASE_API = 2
UNDECIDED = 0.5
"""The ambiguity of what cannot be judged: two classes have not been seen, or centres coincide."""


def distances(
    rows: Float[Tensor, "batch width"],
    centres: Float[Tensor, "classes width"],
    seen: Bool[Tensor, " classes"],
    metric: str,
) -> Float[Tensor, "batch classes"]:
    """Give each row's distance to each class; infinite for a class never seen.

    The cosine distance of a zero vector is one to everything.
    """
    if metric == "cosine":
        apart = (1 - unit(rows) @ unit(centres).T).clamp_min(0)
    else:
        # The faster way by inner products is off by more than the distance of near points.
        apart = torch.cdist(rows, centres, compute_mode="donot_use_mm_for_euclid_dist")
    return apart.masked_fill(~seen, torch.inf)


def proximity(
    apart: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Give the ambiguity among features: own distance / (own + nearest other distance).

    0 is clearly the own class, 0.5 the boundary, 1 clearly another class.
    """
    observed = labels.unsqueeze(1)
    own = apart.gather(1, observed).squeeze(1)
    total = own + apart.scatter(1, observed, torch.inf).amin(1)
    return torch.where((total > 0) & total.isfinite(), own / total, UNDECIDED)


def proximity_label_free(apart: Float[Tensor, "batch classes"]) -> Float[Tensor, " batch"]:
    """Give the ambiguity among features without labels: nearest / second nearest distance."""
    nearest, second = apart.topk(2, largest=False).values.unbind(1)
    ratio = torch.where(second > 0, nearest / second, 1.0)
    return torch.where(second.isfinite(), ratio, UNDECIDED)


def doubt(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Give the ambiguity of predictions: (1 - (p of the own class - p of the best other)) / 2."""
    observed = labels.unsqueeze(1)
    probabilities = logits.log_softmax(1).exp()
    own = probabilities.gather(1, observed).squeeze(1)
    best_other = probabilities.scatter(1, observed, 0.0).amax(1)
    return ((1 - (own - best_other)) / 2).clamp(0, 1)


def doubt_label_free(logits: Float[Tensor, "batch classes"]) -> Float[Tensor, " batch"]:
    """Give the ambiguity of predictions without labels: (1 - largest p) C / (C - 1)."""
    classes = logits.shape[1]
    largest = logits.log_softmax(1).exp().amax(1)
    return ((1 - largest) * (classes / (classes - 1))).clamp(0, 1)


def fold(ambiguity: Tensor) -> Tensor:
    """Turn 0 (own class) to 0.5 (boundary) to 1 (another class) into 0 to 1 to 0."""
    return 1 - (2 * ambiguity - 1).abs()


@dataclass(frozen=True)
class DLSASW(MetaWeighter):
    """DLSA-SW (reconstruction): learns weights from ambiguity among features and predictions.

    Known from the abstract: ambiguity in two spaces, by category proximity among features and by
    confidence among predictions; a learnable weighting network; alternate optimisation. The
    formulas are inferred, and so are the running class centres, the use of the observed label
    and the meta-learning engine. The label-free reading cannot tell a wrong label from a right
    one: the same image has the same weight under either.
    """

    name: ClassVar[str] = "dlsa-sw"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.RECONSTRUCTION
    paper: ClassVar[str] = (
        "Yi, Liu, Ma, Han, Niu: Dynamic learning of sample ambiguity-driven sample weighting for "
        "medical image classification. Expert Systems with Applications 2026. "
        "https://openreview.net/forum?id=Pd0GvEz3v6 (abstract)"
    )
    mode: str = option(
        "label-aware",
        "label-aware: own class against the others; label-free: the two likeliest classes; "
        "folded: label-aware without its sign",
        choices=("label-aware", "label-free", "folded"),
    )
    metric: str = option(
        "cosine", "distance of features to class centres", choices=("cosine", "euclidean")
    )

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        """Give the ambiguity among features and in the prediction."""
        centres: ClassMeans | None = None

        @torch.no_grad()
        def describe(step: Step) -> Tensor:
            nonlocal centres
            rows, labels = self.rows(step.features), step.batch.labels
            if centres is None:
                centres = ClassMeans(task.num_classes, rows.shape[1], task.device)
            apart = distances(rows, centres.means, centres.seen, self.metric)
            centres.update(rows, labels)
            return torch.stack(self.ambiguities(apart, step.logits, labels), dim=1)

        return 2, describe

    def rows(self, features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """Give what the centres are means of."""
        if self.metric == "cosine":
            return unit(features)
        # The centres must outlive an image that overflowed; the loop reports its loss.
        return torch.where(features.isfinite().all(1, keepdim=True), features, 0.0)

    def ambiguities(
        self,
        apart: Float[Tensor, "batch classes"],
        logits: Float[Tensor, "batch classes"],
        labels: Int[Tensor, " batch"],
    ) -> tuple[Tensor, Tensor]:
        """Give the ambiguity of each image among features and in its prediction."""
        if self.mode == "label-free":
            return proximity_label_free(apart), doubt_label_free(logits)
        aware = proximity(apart, labels), doubt(logits, labels)
        return (fold(aware[0]), fold(aware[1])) if self.mode == "folded" else aware


@dataclass(frozen=True)
class DLSASWFixed(LossWeighter):
    """Control: DLSA-SW's label-aware ambiguity through a fixed mapping; nothing is learned.

    The weight is a function of the mean A of both ambiguities; no trusted image is needed.
    """

    name: ClassVar[str] = "dlsa-sw-fixed"
    version: ClassVar[str] = "1"
    mapping: str = option(
        "clear",
        "which images weigh most: clear (1 - A), ambiguous (A), boundary (1 - |2A - 1|)",
        choices=("clear", "ambiguous", "boundary"),
    )

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        """Start the centres of the classes."""
        _, describe = DLSASW().describe(task)

        def weigh(step: Step) -> Tensor:
            ambiguity = describe(step).mean(1)
            if self.mapping == "clear":
                return 1 - ambiguity
            return ambiguity if self.mapping == "ambiguous" else fold(ambiguity)

        return weigh


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give DLSA-SW and its control."""
    return [DLSASW, DLSASWFixed]
