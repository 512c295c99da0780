"""The contract of the data side: data sets, label noise, imbalance. NumPy only.

These run in the parent process, which knows the truth; they are part of the harness's trusted
side, unlike weighters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import Invariances
from benchbase.data.card import Card

Pixels = NDArray[np.uint8]
"""Images, shape (count, channels, height, width)."""
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Images and their labels."""

    pixels: Pixels
    labels: Labels
    """Those that count as right: they are judged by."""
    given: Labels | None = None
    """Another version of the labels, which somebody gave: what noise ``real`` shows to methods."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Part:
        """Give the chosen rows."""
        given = None if self.given is None else self.given[rows]
        return Part(self.pixels[rows], self.labels[rows], given)


@dataclass(frozen=True)
class DataParts:
    """A data set as its files give it; what they leave open, the harness draws for each seed."""

    classes: tuple[str, ...]
    """Class names; their order is the order of the long tail, most frequent first."""
    train: Part
    test: Part
    validation: Part | None = None
    trusted: Part | None = None
    """Pool that trusted images are drawn from; None draws them from train."""
    groups: NDArray[np.int64] | None = None
    """Patient, lesion or slide of each training image, where that is known."""
    test_groups: NDArray[np.int64] | None = None
    """The same of each test image: a group on both sides is recorded as a leak."""
    verified: NDArray[np.bool_] | None = None
    """Whose label of the training images somebody verified: trusted ones are drawn from these."""
    test_verified: bool = False
    """Whether somebody verified the label of each test image."""
    drawn_by: Labels | None = None
    """Labels of train before some were corrected: splits are drawn by these, so that they are the
    same with and without the correction; None where nothing was corrected."""
    notes: tuple[str, ...] = ()
    """What the user must know of how the images were read."""
    split_file: str = ""
    """Which image is in which part, as a table, where images have names; kept beside the arrays."""
    skipped: tuple[str, ...] = ()
    """Images that could not be read and are in no part, each with the reason."""

    @property
    def split_labels(self) -> Labels:
        """Labels of train by which splits are drawn."""
        return self.train.labels if self.drawn_by is None else self.drawn_by


class DataSet(ABC):
    """A data set; a frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    invariances: ClassVar[Invariances] = Invariances()
    """What may be done to an image without changing its class: augmentation does no more."""
    truth_known: ClassVar[bool] = False
    """Whether the labels are right: made from the truth, or those of a benchmark that count as it.

    If not, they are as given: nobody knows how many are wrong, so that no noise rate is granted
    and trusted images are not called clean. Parts with labels ``given`` beside others say that the
    others are right.
    """
    card: ClassVar[Card | None] = None
    """Where it comes from, on which terms, and what to know of it."""
    locations: ClassVar[tuple[str, ...]] = ()
    """Options that say where files lie: relative to the board that names them, and no part of
    what is decoded, for which the files' content and names stand."""

    stated: ClassVar[tuple[str, ...]] = ()
    """Options that say something of the images and change nothing of what is decoded."""
    resumes: ClassVar[bool] = False
    """Whether ``load`` goes on from what it left in ``scratch`` when it was interrupted."""

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Find the files that ``load`` reads below ``roots``; none for generated data.

        Raises:
            DataError: one is missing; the message says where it was looked for and how to get it.
        """
        return []

    @abstractmethod
    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Decode the whole data set; ``scratch`` is a folder that is removed afterwards.

        It is empty, but for what an interrupted call left in it where the data set ``resumes``.
        Called once: the harness keeps the decoded arrays. The order of the rows may say nothing
        that is kept from a method; the harness shuffles training rows for each seed.

        Raises:
            DataError: a file is missing, truncated or not what it claims to be.
        """


def true_class_leads(transition: NDArray[np.float64]) -> bool:
    """Tell whether P(observed | true) is largest where both are the same; zero rows do not count.

    Ties count as lost, and rounding must not win one.
    """
    others = transition - np.diag(np.full(len(transition), np.inf))
    leads = np.diag(transition) > others.max(axis=1) + 1e-9
    return bool(leads[transition.any(axis=1)].all())


class Noise(ABC):
    """A kind of label noise; a frozen dataclass whose fields are its options.

    ``name:0.4`` on the command line sets the option ``rate``, where it has one.
    """

    name: ClassVar[str]
    version: ClassVar[str] = ""
    """Raise it where labels change for a reason that the code does not show; see ``identify``."""

    def files(self) -> list[Path]:
        """Name the files that the noise reads: their content is part of a cell's identity."""
        return []

    @abstractmethod
    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        """Give the observed labels of ``part``, which is a copy: the true ones stay as they are.

        Called for train and for validation, each with a stream ``rng`` of its own. ``shared`` is
        at the same place for both: what one annotator brings to all images (a projection, say) is
        drawn from it.
        """

    @abstractmethod
    def transition(self, num_classes: int) -> NDArray[np.float64] | None:
        """Give the nominal P(observed | true), shape (classes, classes), rows summing to one.

        None where nobody knows it, as with labels that people gave: no method is told their noise
        rate then, and whether they are identifiable is seen from the labels themselves.

        Raises:
            UsageError: the noise does not exist for these classes, or an option must be set.
        """

    def is_identifiable(self, num_classes: int) -> bool:
        """Tell whether the true class stays the most likely observed one."""
        transition = self.transition(num_classes)
        return transition is not None and true_class_leads(transition)


class Imbalance(ABC):
    """A kind of class imbalance; a frozen dataclass whose fields are its options.

    ``name:10`` on the command line sets the option ``ratio``, where it has one. Where it has an
    option ``order``, and that is ``drawn``, the harness asks for counts of the classes in an order
    that it draws for each seed, instead of in that of the data set.
    """

    name: ClassVar[str]
    version: ClassVar[str] = ""
    """As ``Noise.version``, where counts change."""

    @abstractmethod
    def counts(self, available: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give how many images of each class to keep, at most ``available`` (a copy).

        Raises:
            UsageError: an option must be set.
        """
