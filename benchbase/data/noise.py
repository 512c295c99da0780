"""Kinds of label noise: none, real, symmetric, pair, matrix (by class), instance-dependent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, softmax

from benchbase.data.contract import Labels, Noise, Part
from benchbase.errors import DataError, UsageError
from benchbase.options import option

Matrix = NDArray[np.float64]


def draw_flips(count: int, rate: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark exactly ``round(rate * count)`` rows; a higher rate marks these and more."""
    flips = np.zeros(count, dtype=bool)
    flips[rng.permutation(count)[: round(rate * count)]] = True
    return flips


def draw_classes(probabilities: Matrix, rng: np.random.Generator) -> Labels:
    """Draw one class for each row of ``probabilities`` (rows, classes)."""
    cumulative = probabilities.cumsum(axis=1)
    # Scaled by the row's own sum, so that rounding cannot draw a class of probability zero.
    points = rng.random(len(probabilities)) * cumulative[:, -1]
    drawn: Labels = (cumulative <= points[:, None]).sum(axis=1).astype(np.int64)
    return drawn


@dataclass(frozen=True)
class NoNoise(Noise):
    """All labels as they are."""

    name: ClassVar[str] = "none"
    version: ClassVar[str] = "1"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Give a copy of the labels."""
        return part.labels.copy()

    def transition(self, num_classes: int) -> Matrix:
        """Give the identity."""
        return np.eye(num_classes)


@dataclass(frozen=True)
class RealNoise(Noise):
    """The labels that people gave, where the data set holds others that count as true."""

    name: ClassVar[str] = "real"
    version: ClassVar[str] = "1"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Give the labels as they were given.

        Raises:
            UsageError: the data set has one version only.
        """
        if part.given is None:
            raise UsageError(
                "noise 'real' needs a data set with two versions of its labels, one that methods "
                "see and one that counts as true: csv:FILE[label=COLUMN,truth=COLUMN], an npz file "
                "with an array truth, or a plugin's Part(pixels, labels, given)"
            )
        return part.given.copy()

    def transition(self, num_classes: int) -> None:
        """Give nothing: nobody knows it."""


@dataclass(frozen=True)
class NoiseOfRate(Noise):
    """A kind of noise that exists at any rate, and must be told which."""

    rate: float | None = option(None, "share of labels that are wrong; must be set", min=0, max=1)

    @property
    def share(self) -> float:
        """The rate.

        Raises:
            UsageError: it was not set.
        """
        if self.rate is None:
            raise UsageError(
                f"noise {self.name!r} needs a rate: write {self.name}:0.4 to make 40 % of the "
                "labels wrong"
            )
        return self.rate


@dataclass(frozen=True)
class SymmetricNoise(NoiseOfRate):
    """A share of labels moves to another class, each of them equally likely."""

    name: ClassVar[str] = "symmetric"
    version: ClassVar[str] = "1"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Change exactly ``round(rate * count)`` labels."""
        flips = draw_flips(len(part), self.share, rng)
        shifts = rng.integers(1, num_classes, size=len(part))
        return np.where(flips, (part.labels + shifts) % num_classes, part.labels)

    def transition(self, num_classes: int) -> Matrix:
        """Give 1 - rate on the diagonal and the rest spread evenly."""
        matrix = np.full((num_classes, num_classes), self.share / (num_classes - 1))
        np.fill_diagonal(matrix, 1 - self.share)
        return matrix


@dataclass(frozen=True)
class PairNoise(NoiseOfRate):
    """A share of labels moves to the next class, the last class to the first."""

    name: ClassVar[str] = "pair"
    version: ClassVar[str] = "1"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Change exactly ``round(rate * count)`` labels."""
        flips = draw_flips(len(part), self.share, rng)
        return np.where(flips, (part.labels + 1) % num_classes, part.labels)

    def transition(self, num_classes: int) -> Matrix:
        """Give 1 - rate on the diagonal and the rate beside it."""
        unmoved = np.eye(num_classes)
        return (1 - self.share) * unmoved + self.share * np.roll(unmoved, 1, axis=1)


@dataclass(frozen=True)
class MatrixNoise(Noise):
    """Class-dependent noise: P(observed | true) from a CSV file, one row a true class."""

    file: str = option("", "CSV of rows that sum to one, no header, classes in the data's order")

    name: ClassVar[str] = "matrix"
    version: ClassVar[str] = "1"

    def files(self) -> list[Path]:
        """Name the CSV file."""
        path = Path(self.file)
        if not self.file:
            raise UsageError("noise 'matrix' needs a CSV file: --noise matrix:FILE.csv")
        if not path.is_file():
            raise DataError(f"noise 'matrix': there is no file {path}")
        return [path]

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Draw each label from the row of its true class."""
        return draw_classes(self.transition(num_classes)[part.labels], rng)

    def transition(self, num_classes: int) -> Matrix:
        """Read the file."""
        [path] = self.files()
        try:
            matrix = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64)
        except ValueError as error:
            raise DataError(f"{path}: expected comma-separated numbers: {error}") from error
        if matrix.shape != (num_classes, num_classes):
            raise DataError(
                f"{path}: expected {num_classes} x {num_classes} probabilities, one row and one "
                f"column a class, found {matrix.shape[0]} x {matrix.shape[1]}"
            )
        sums = matrix.sum(axis=1)
        if not ((matrix >= 0).all() and np.allclose(sums, 1, atol=1e-6)):
            raise DataError(
                f"{path}: expected probabilities of at least 0 with rows summing to 1, found a "
                f"minimum of {matrix.min():g} and sums {', '.join(f'{total:g}' for total in sums)}"
            )
        return matrix


@dataclass(frozen=True)
class InstanceNoise(NoiseOfRate):
    """Noise that depends on the image: its pixels say how likely and to which class it flips.

    Part-dependent label noise, Xia et al., NeurIPS 2020, algorithm 2: each image has a rate of
    its own from N(rate, 0.1^2) truncated to [0, 1], and a random projection for each class turns
    pixels into the class that it is taken for. It is the same for train and validation, which one
    annotator labels, and images are standardised one by one here, so that both undergo the same
    process. Truncation raises the mean of rates below 0.2 (to 0.13 at a rate of 0.1); the realised
    rate is recorded. A rate of 0 is no noise.
    """

    name: ClassVar[str] = "instance"
    version: ClassVar[str] = "1"
    SPREAD: ClassVar[float] = 0.1
    BLOCK: ClassVar[int] = 4096

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Draw the observed class of each image."""
        rate = self.share
        if rate == 0:
            return part.labels.copy()
        flat = part.pixels.reshape(len(part), int(np.prod(part.pixels.shape[1:])))
        projection = shared.standard_normal(
            (num_classes, flat.shape[1], num_classes), dtype=np.float32
        )
        low, high = ndtr((0 - rate) / self.SPREAD), ndtr((1 - rate) / self.SPREAD)
        rates = rate + self.SPREAD * ndtri(low + (high - low) * rng.random(len(part)))
        rates = rates.clip(0, 1)
        observed = np.empty_like(part.labels)
        for label in range(num_classes):
            rows = np.flatnonzero(part.labels == label)
            for start in range(0, len(rows), self.BLOCK):
                block = rows[start : start + self.BLOCK]
                images = flat[block].astype(np.float32)
                images -= images.mean(axis=1, keepdims=True)
                images /= np.maximum(images.std(axis=1, keepdims=True), 1e-6)
                scores = (images @ projection[label]).astype(np.float64)
                scores[:, label] = -np.inf
                chances = softmax(scores, axis=1) * rates[block, None]
                chances[:, label] = 1 - rates[block]
                observed[block] = draw_classes(chances, rng)
        return observed

    def transition(self, num_classes: int) -> Matrix:
        """Give the mean over projections, in which all other classes are alike."""
        rate = self.share
        if rate == 0:
            return np.eye(num_classes)
        low, high = (0 - rate) / self.SPREAD, (1 - rate) / self.SPREAD
        density = np.exp(-0.5 * np.square([low, high])) / np.sqrt(2 * np.pi)
        mean = rate + self.SPREAD * (density[0] - density[1]) / (ndtr(high) - ndtr(low))
        return SymmetricNoise(float(mean)).transition(num_classes)

    def is_identifiable(self, num_classes: int) -> bool:
        """Tell whether true labels keep the majority: one projection may send all flips one way."""
        return bool((np.diag(self.transition(num_classes)) > 0.5 + 1e-9).all())


KINDS = (NoNoise, RealNoise, SymmetricNoise, PairNoise, MatrixNoise, InstanceNoise)
