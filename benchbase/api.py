"""The contract between the harness and a method. A plugin author needs nothing else.

A method is a frozen dataclass of options with ``fit(task) -> Iterator[Checkpoint]``: it trains
however it likes and yields whenever it is ready to be judged.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Generator, Tensor, nn

from benchbase.cell import Recipe as Recipe
from benchbase.errors import BudgetError, UndeclaredNeedError
from benchbase.hookspecs import API_VERSION as API_VERSION
from benchbase.hookspecs import hookimpl as hookimpl
from benchbase.options import option as option
from benchbase.seeding import seeded, torch_stream


class Need(enum.Enum):
    """A privilege beyond noisy labels and the shared backbone; printed beside the score."""

    TRUSTED = "trusted"
    """Images with clean labels (in track T0: a noisy set split from train)."""
    UNLABELLED = "unlabelled"
    """Images whose labels are withheld."""
    ORACLE = "oracle"
    """True labels of chosen rows, bought one by one from a budget."""
    OWN_NETWORK = "own network"
    """What is judged is not exactly one ``task.build_model()``."""
    NOISE_RATE = "noise rate"
    """The true noise rate."""
    TRUTH = "truth"
    """All true labels, withheld ones too: for oracle controls, which are never ranked."""


class Honesty(enum.Enum):
    """How close an implementation is known to be to the published method."""

    OFFICIAL = "official code wrapped"
    MATCHED = "re-implemented, matched to a published number"
    UNMATCHED = "re-implemented, unmatched"
    RECONSTRUCTION = "reconstruction from an abstract"
    ORIGINAL = "defined here"
    """A control or a new method: this code is its definition."""


@dataclass(frozen=True)
class Images:
    """Images with labels; a view is cheap, and nothing is edited in place."""

    pixels: UInt8[Tensor, "all channels height width"]
    """Shared by all views; pixels of this view are ``pixels[rows]``."""
    labels: Int[Tensor, " count"]
    rows: Int[Tensor, " count"]
    """Index of each image into ``pixels``, stable for the whole run."""

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, keep: Bool[Tensor, " count"] | Int[Tensor, " kept"]) -> Images:
        """Give a new view with the chosen images only (a mask, or positions in this view)."""
        return Images(self.pixels, self.labels[keep], self.rows[keep])

    def relabelled(self, positions: Int[Tensor, " some"], labels: Int[Tensor, " some"]) -> Images:
        """Give a new view in which the images at ``positions`` carry ``labels``."""
        changed = self.labels.clone()
        changed[positions] = labels.to(changed)
        return Images(self.pixels, changed, self.rows)


class Classifier(nn.Module, ABC):
    """A network as the harness sees it: images -> features -> logits."""

    head: nn.Module
    """The last layer: features (B, width) -> logits (B, classes).

    Linear and nothing else where it can be: dropout before it belongs to ``features``, for some
    methods take an image's gradient for this layer from the two.
    """

    @abstractmethod
    def features(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch features"]:
        """Map normalised images to the features that the head reads."""

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Map normalised images to logits."""
        logits: Tensor = self.head(self.features(images))
        return logits


@dataclass(frozen=True)
class ImageShape:
    """Size of one image."""

    channels: int
    height: int
    width: int


class Backbone(ABC):
    """A family of networks; a frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    version: ClassVar[str] = ""
    """What is built; as ``Weighter.version``."""

    @abstractmethod
    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build a fresh network; torch's global generator is seeded by the caller."""

    @property
    def weights(self) -> str:
        """Name of the pretrained weights that ``build`` loads; recorded. Empty for none."""
        return ""


@dataclass
class Meter:
    """What a method spent; the kit's loops keep it, a loop of one's own should too."""

    forwarded: int = 0
    """Images passed forward (a tangent pass counts twice)."""
    backpropagated: int = 0
    """Images passed backward."""
    steps: int = 0
    """Optimiser steps of the judged network."""

    def add(self, *, forwarded: int = 0, backpropagated: int = 0, steps: int = 0) -> None:
        """Count work done."""
        self.forwarded += forwarded
        self.backpropagated += backpropagated
        self.steps += steps


class Oracle:
    """Sells true labels of training rows; charges each row once."""

    def __init__(self, ask: Callable[[list[int]], list[int]], budget: int, num_rows: int) -> None:
        self._ask = ask
        self._num_rows = num_rows
        self._answers: dict[int, int] = {}
        self.budget = budget

    @property
    def remaining(self) -> int:
        """Labels that can still be bought."""
        return self.budget - len(self._answers)

    def query(self, rows: Int[Tensor, " asked"]) -> Int[Tensor, " asked"]:
        """Buy the true labels of ``rows``; asking again for a row that was bought is free.

        Raises:
            BudgetError: the rows cost more than ``remaining``, or one does not exist; nothing
                is bought then.
        """
        asked = [int(row) for row in rows]
        if any(not 0 <= row < self._num_rows for row in asked):
            raise BudgetError(f"the oracle knows rows 0 to {self._num_rows - 1}; asked for others")
        new = sorted(set(asked) - self._answers.keys())
        if len(new) > self.remaining:
            raise BudgetError(
                f"asked the oracle for {len(new)} new labels, {self.remaining} of a budget of "
                f"{self.budget} are left: ask for fewer (`task.oracle.remaining`)"
            )
        if new:
            self._answers.update(zip(new, self._ask(new), strict=True))
        answers = [self._answers[row] for row in asked]
        return torch.tensor(answers, dtype=torch.long, device=rows.device)


@dataclass(frozen=True)
class Grants:
    """What a task's scenario grants; ``Task`` hands out only what the weighter declared."""

    trusted: Images | None = None
    unlabelled: Images | None = None
    oracle: Oracle | None = None
    noise_rate: float | None = None
    truth: Tensor | None = None


@dataclass(frozen=True)
class Task:
    """One scenario at one seed, as a method may see it.

    Validation data, test data and true labels are not here: they live in other processes.
    """

    train: Images
    """Labels as observed, some of them wrong."""
    num_classes: int
    class_names: tuple[str, ...]
    recipe: Recipe
    device: torch.device
    build_model: Callable[[], Classifier]
    """A fresh backbone on the device; each call of one run gives other initial weights."""
    augment: Callable[[Tensor, Generator], Tensor]
    """Flip and shift pixels (B, C, H, W) uint8, drawing from the generator."""
    augment_strongly: Callable[[Tensor, Generator], Tensor]
    """Crop, rotate, flip and recolour them, for methods that need a hard view; not the default."""
    normalise: Callable[[Tensor], Tensor]
    """Pixels uint8 -> float32 images as every network here expects them."""
    seed: int
    """Seed of the method's own streams."""
    needs: frozenset[Need] = frozenset()
    grants: Grants = field(default_factory=Grants, repr=False)
    meter: Meter = field(default_factory=Meter)
    withheld: int = 0
    """Training images that are not in ``train`` since their labels are withheld."""

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch, the same for every method.

        They are the recipe's, or the batches of one pass over the training images, withheld ones
        included.
        """
        return self.recipe.steps_of_an_epoch(len(self.train) + self.withheld)

    def _require(self, need: Need, value: Any) -> Any:
        if need not in self.needs:
            raise UndeclaredNeedError(
                f"the weighter used task.{need.name.lower()} without declaring it: add "
                f"Need.{need.name} to its `needs`"
            )
        if value is None:
            raise UndeclaredNeedError(
                f"this scenario does not grant {need.value!r}: run a scenario that does"
            )
        return value

    @property
    def trusted(self) -> Images:
        """Images with clean labels (noisy ones in track T0); needs ``Need.TRUSTED``."""
        images: Images = self._require(Need.TRUSTED, self.grants.trusted)
        return images

    @property
    def unlabelled(self) -> Images:
        """Images whose labels are all -1; needs ``Need.UNLABELLED``.

        With ``Need.TRUTH`` as well, they carry their true labels.
        """
        images: Images = self._require(Need.UNLABELLED, self.grants.unlabelled)
        return images

    @property
    def oracle(self) -> Oracle:
        """Where true labels can be bought; needs ``Need.ORACLE``."""
        oracle: Oracle = self._require(Need.ORACLE, self.grants.oracle)
        return oracle

    @property
    def noise_rate(self) -> float:
        """Realised share of wrong training labels; needs ``Need.NOISE_RATE``."""
        rate: float = self._require(Need.NOISE_RATE, self.grants.noise_rate)
        return rate

    @property
    def truth(self) -> Int[Tensor, " rows"]:
        """True training labels; needs ``Need.TRUTH``, which is never ranked."""
        truth: Tensor = self._require(Need.TRUTH, self.grants.truth)
        return truth

    def rng(self, purpose: str) -> Generator:
        """Open the CPU stream called ``purpose``: one for each kind of decision."""
        return torch_stream(self.seed, "method", purpose)

    def seeded(self, purpose: str) -> AbstractContextManager[None]:
        """Build modules under the stream called ``purpose``."""
        return seeded(self.seed, "method", purpose)


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

        yield from supervised(task, task.build_model(), self.prepare(task))
