"""Kinds of class imbalance: natural, exponential long tail, step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Imbalance
from benchbase.errors import UsageError
from benchbase.options import option

Counts = NDArray[np.int64]


def scale(available: Counts, shares: NDArray[np.float64]) -> Counts:
    """Give the largest counts in the proportion of ``shares`` (largest 1) that all classes have."""
    most = (available / shares).min()
    counts: Counts = np.minimum(np.rint(most * shares).astype(np.int64), available)
    return counts


@dataclass(frozen=True)
class Natural(Imbalance):
    """The data set's own counts."""

    name: ClassVar[str] = "natural"
    version: ClassVar[str] = "1"

    def counts(self, available: Counts) -> Counts:
        """Keep everything."""
        return available.copy()


@dataclass(frozen=True)
class ImbalanceOfRatio(Imbalance):
    """A kind of imbalance that exists at any ratio, and must be told which."""

    ratio: float | None = option(
        None, "largest class : smallest class; 1 equalises; must be set", min=1
    )
    order: str = option(
        "given",
        "which class is rare: that of the data set's order, or one drawn for each seed",
        choices=("given", "drawn"),
    )

    @property
    def span(self) -> float:
        """The ratio.

        Raises:
            UsageError: it was not set.
        """
        if self.ratio is None:
            raise UsageError(
                f"imbalance {self.name!r} needs a ratio: write {self.name}:10 to give the largest "
                "class ten times the images of the smallest"
            )
        return self.ratio


@dataclass(frozen=True)
class Exponential(ImbalanceOfRatio):
    """Long tail over the class order: ``n_c = n_max * ratio^(-c / (C - 1))``; 1 equalises.

    The profile of Cui et al., CVPR 2019, with the largest ``n_max`` that every class can satisfy.
    """

    name: ClassVar[str] = "exponential"
    version: ClassVar[str] = "1"

    def counts(self, available: Counts) -> Counts:
        """Give counts that fall from the first class to the last."""
        return scale(available, self.span ** -np.linspace(0, 1, len(available)))


@dataclass(frozen=True)
class Step(ImbalanceOfRatio):
    """The second half of the classes rare (the smaller half of an odd number); 1 equalises."""

    name: ClassVar[str] = "step"
    version: ClassVar[str] = "1"

    def counts(self, available: Counts) -> Counts:
        """Give one count for the frequent classes and one for the rare ones."""
        shares = np.ones(len(available))
        shares[len(available) - len(available) // 2 :] = 1 / self.span
        return scale(available, shares)
