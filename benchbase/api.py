"""The contract between the harness and a method. A plugin author needs nothing else.

A method is a frozen dataclass of options with ``fit(task) -> Iterator[Checkpoint]``: it trains
however it likes and yields whenever it is ready to be judged.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from benchbase.backbones.contract import Backbone as Backbone
from benchbase.backbones.contract import Classifier as Classifier
from benchbase.backbones.contract import ImageShape as ImageShape
from benchbase.cell import Recipe as Recipe
from benchbase.errors import ContractError
from benchbase.hookspecs import API_VERSION as API_VERSION
from benchbase.hookspecs import hookimpl as hookimpl
from benchbase.options import option as option
from benchbase.task import Grants as Grants
from benchbase.task import Images as Images
from benchbase.task import Meter as Meter
from benchbase.task import Need as Need
from benchbase.task import Oracle as Oracle
from benchbase.task import Snapshots as Snapshots
from benchbase.task import Task as Task


class Honesty(enum.Enum):
    """How close an implementation is known to be to the published method."""

    OFFICIAL = "official code wrapped"
    MATCHED = "re-implemented, matched to a published number"
    UNMATCHED = "re-implemented, unmatched"
    RECONSTRUCTION = "reconstruction from an abstract"
    ORIGINAL = "defined here"
    """A control or a new method: this code is its definition."""


@dataclass(frozen=True)
class Batch:
    """A mini-batch on the device."""

    images: Float[Tensor, "batch channels height width"]
    labels: Int[Tensor, " batch"]
    rows: Int[Tensor, " batch"]
    """Index of each image into its part (``task.train`` or ``task.trusted``)."""


@dataclass(frozen=True)
class Step:
    """One batch after the forward pass and before the update."""

    model: Classifier
    """In train mode; leave it as you found it."""
    batch: Batch
    logits: Float[Tensor, "batch classes"]
    """Attached to the graph."""
    features: Float[Tensor, "batch features"]
    """Attached to the graph."""
    losses: Float[Tensor, " batch"]
    """Cross-entropy of each image, attached to the graph."""
    lr: float
    epoch: int
    losses_at: Callable[[Mapping[str, Tensor]], Tensor]
    """Losses of this batch under other parameters (name -> tensor): the same batch statistics
    rule and dropout mask, and the model's buffers stay as they are."""
    trusted_loss_at: Callable[[Mapping[str, Tensor], Batch], Tensor]
    """Mean cross-entropy of another batch under other parameters; buffers stay as they are."""
    meter: Meter


@dataclass(frozen=True)
class Checkpoint:
    """What a weighter yields: a model ready to be judged."""

    model: nn.Module
    """Normalised images -> logits; may be a teacher or an ensemble. Must pickle."""
    weights: Float[Tensor, " rows"] | None = None
    """Last weight of each training row; NaN for a row never seen."""
    notes: Mapping[str, float] = field(default_factory=dict)
    """Figures worth a curve, such as the training loss."""


class Weighter(ABC):
    """A method under test. Subclass it as a frozen dataclass; its fields are its options."""

    name: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset()
    honesty: ClassVar[Honesty] = Honesty.ORIGINAL
    paper: ClassVar[str] = ""
    """Where the method was published: authors, venue, year, address."""
    version: ClassVar[str] = ""
    """What an installed method computes: raise it when results change, and its cells run anew.

    It holds for the class that states it, not for those derived from it. Empty: the hash of the
    code counts, as it does for a file and a module.
    """

    @abstractmethod
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train on ``task`` and yield a checkpoint whenever the model is ready to be judged.

        The usual schedule is one checkpoint an epoch. The clock runs only between yields.
        """


@dataclass(frozen=True)
class Losses:
    """A loss of one's own, which a step of ``LossWeighter`` may give instead of weights."""

    each: Float[Tensor, " batch"]
    """Loss of each image, attached to the graph; the step goes down their mean."""
    weights: Float[Tensor, " batch"] | None = None
    """How much the method believes each image, where it says that; reported, not trained with."""


class LossWeighter(Weighter):
    """A method that is a weight or a loss for each image; the supervised loop does the rest."""

    @abstractmethod
    def prepare(self, task: Task) -> Callable[[Step], Tensor | Losses]:
        """Set up run state; return the function that gives a step's weights, shape (batch,).

        The loss is ``(weights * step.losses).mean()``. Weights are not detached for you. A method
        that is no weight of the cross-entropy gives ``Losses`` instead.
        """

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train one fresh backbone with the weights or losses that ``prepare`` computes."""
        from benchbase.kit.loops import supervised

        weigh = self.prepare(task)
        if not callable(weigh):
            raise ContractError(
                f"{self.name}.prepare gave {type(weigh).__name__}, expected a function from a step "
                "to its weights: does it end with `return weigh`?"
            )
        yield from supervised(task, task.build_model(), weigh)
