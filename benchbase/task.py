"""What a method is given: one scenario at one seed, and the privileges that it declared."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Int, UInt8
from torch import Generator, Tensor

from benchbase.backbones.contract import Classifier
from benchbase.cell import Recipe
from benchbase.errors import BudgetError, UndeclaredNeedError
from benchbase.seeding import seeded, torch_stream

T = TypeVar("T")


class Need(enum.Enum):
    """A privilege beyond noisy labels and the shared backbone; printed beside the score."""

    TRUSTED = "trusted"
    """Images with trusted labels: clean where the truth is known, else as given (in track T0: a
    noisy set split from train)."""
    UNLABELLED = "unlabelled"
    """Images whose labels are withheld."""
    ORACLE = "oracle"
    """True labels of chosen rows, bought one by one from a budget."""
    OWN_NETWORK = "own network"
    """What is judged is not exactly one ``task.build_model()``."""
    NOISE_RATE = "noise rate"
    """The realised noise rate, where it is known."""
    TRUTH = "truth"
    """All true labels, withheld ones too: for oracle controls, which are never ranked."""


@dataclass(frozen=True)
class Images:
    """Images with labels; a view is cheap, and nothing is edited in place."""

    pixels: UInt8[Tensor, "all channels height width"]
    """Shared by all views; pixels of this view are ``pixels[rows]``.

    They are on the task's device, or on the host where they do not fit it.
    """
    labels: Int[Tensor, " count"]
    rows: Int[Tensor, " count"]
    """Index of each image into ``pixels``, stable for the whole run, and where these are."""

    def __post_init__(self) -> None:
        """Bring the rows to the pixels: a method that makes its own may have the others at hand."""
        object.__setattr__(self, "rows", self.rows.to(self.pixels.device))

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, keep: Bool[Tensor, " count"] | Int[Tensor, " kept"]) -> Images:
        """Give a new view with the chosen images only (a mask, or positions in this view)."""
        both = (self.labels, self.rows)
        return Images(self.pixels, *(it[torch.as_tensor(keep, device=it.device)] for it in both))

    def relabelled(self, positions: Int[Tensor, " some"], labels: Int[Tensor, " some"]) -> Images:
        """Give a new view in which the images at ``positions`` carry ``labels``."""
        changed = self.labels.clone()
        changed[positions] = labels.to(changed)
        return Images(self.pixels, changed, self.rows)


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
        self.answers: dict[int, int] = {}
        """Row -> the label that was bought."""
        self.budget = budget

    @property
    def remaining(self) -> int:
        """Labels that can still be bought."""
        return self.budget - len(self.answers)

    def query(self, rows: Int[Tensor, " asked"]) -> Int[Tensor, " asked"]:
        """Buy the true labels of ``rows``; asking again for a row that was bought is free.

        Raises:
            BudgetError: the rows cost more than ``remaining``, or one does not exist; nothing
                is bought then.
        """
        asked = [int(row) for row in rows]
        if any(not 0 <= row < self._num_rows for row in asked):
            raise BudgetError(f"the oracle knows rows 0 to {self._num_rows - 1}; asked for others")
        new = sorted(set(asked) - self.answers.keys())
        if len(new) > self.remaining:
            raise BudgetError(
                f"asked the oracle for {len(new)} new labels, {self.remaining} of a budget of "
                f"{self.budget} are left: ask for fewer (`task.oracle.remaining`)"
            )
        if new:
            self.answers.update(zip(new, self._ask(new), strict=True))
        answers = [self.answers[row] for row in asked]
        return torch.tensor(answers, dtype=torch.long, device=rows.device)


class Snapshots:
    """Where interrupted loops go on; outside of a run, nothing is kept of them."""

    def epochs(self, count: int, train: Callable[[int], T]) -> Iterator[T]:
        """Yield ``train(epoch)``, a checkpoint, for each epoch that has not been trained yet.

        Whatever ``train`` can reach is kept with it now and then and put back in place: models,
        optimisers, streams, tensors, in local variables of the functions around it as well. A
        loop that was interrupted yields its last kept checkpoint again and goes on from there;
        one that was over yields its last one and ends. So what surrounds a loop may look at the
        checkpoints and at the state of what was trained, and must not count epochs by itself.
        """
        yield from map(train, range(count))


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
    snapshots: Snapshots = field(default_factory=Snapshots, repr=False)
    """Through which a loop of epochs is run, so that it survives an interruption."""
    withheld: int = 0
    """Training images that are not in ``train`` since their labels are withheld."""

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch, the same for every method.

        They are the recipe's, or the batches of one pass over the training images, withheld ones
        included.
        """
        return self.recipe.steps_of_an_epoch(len(self.train) + self.withheld)

    def _check_declared(self, need: Need) -> None:
        if need not in self.needs:
            raise UndeclaredNeedError(
                f"the weighter used task.{need.name.lower()} without declaring it: add "
                f"Need.{need.name} to its `needs`"
            )

    def _require(self, need: Need, value: Any) -> Any:
        self._check_declared(need)
        if value is None:
            raise UndeclaredNeedError(
                f"this scenario does not grant {need.value!r}: run a scenario that does"
            )
        return value

    @property
    def trusted(self) -> Images:
        """Images with trusted labels (noisy ones in track T0); needs ``Need.TRUSTED``.

        They are clean where the data set's truth is known, else as given.
        """
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
    def noise_rate(self) -> float | None:
        """Realised share of wrong training labels; needs ``Need.NOISE_RATE``.

        None where nobody knows it, as with labels as given: a method then assumes a rate that it
        states.
        """
        self._check_declared(Need.NOISE_RATE)
        return self.grants.noise_rate

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
