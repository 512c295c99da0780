"""What a source says: its images by name, with labels, groups and parts; nothing is decoded yet."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbase.data.own.reading import Picture
from benchbase.errors import DataError

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What a folder or cell says -> the part that is meant."""
LEAST_IMAGES = 2
"""Of each class: one to train on, one to be judged by."""
FEW = 10
"""Classes that a message names."""


@dataclass(frozen=True)
class Listing:
    """The images of a source, in its order."""

    where: str
    """What messages call the source."""
    names: tuple[str, ...]
    """One a image: its path below the source, or its part and number."""
    labels: tuple[str, ...]
    picture: Callable[[int], Picture]
    """Gives an image by its place in ``names``."""
    files: tuple[Path, ...]
    """All that is read."""
    truths: tuple[str, ...] | None = None
    """Labels that count as true, where ``labels`` are only what somebody gave."""
    order: tuple[str, ...] = ()
    """The classes in the order that their source gives them; empty where counts decide."""
    corrected: tuple[str, ...] | None = None
    """What training sees in place of ``labels``, where somebody corrected some of them."""
    groups: tuple[str, ...] | None = None
    verified: tuple[bool, ...] | None = None
    """Whose labels somebody verified; None where nobody says."""
    parts: tuple[str, ...] | None = None
    """Train, validation or test; None where the source draws no line."""
    notes: tuple[str, ...] = ()
    """What the user must know."""

    @property
    def judging(self) -> tuple[str, ...]:
        """The labels that count: they name the classes and judge."""
        return self.labels if self.truths is None else self.truths

    def with_notes(self, *notes: str) -> Listing:
        """Give the same listing with more to say."""
        return dataclasses.replace(self, notes=(*self.notes, *notes))

    def take(self, rows: Sequence[int]) -> Listing:
        """Give the listing of the chosen images."""

        def chosen(values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
            return None if values is None else tuple(values[row] for row in rows)

        picture = self.picture
        return dataclasses.replace(
            self,
            names=chosen(self.names) or (),
            labels=chosen(self.labels) or (),
            picture=lambda index: picture(rows[index]),
            truths=chosen(self.truths),
            corrected=chosen(self.corrected),
            verified=chosen(self.verified),
            groups=chosen(self.groups),
            parts=chosen(self.parts),
        )

    def checked(self) -> Listing:
        """Give the listing, where its labels are classes that one can train on and be judged by.

        Raises:
            DataError: they are not; the message says why and what to do.
        """
        labels = self.judging
        counts = Counter(labels)
        for name, *both in zip(self.names, self.labels, labels, strict=True):
            if not all(both):
                raise DataError(
                    f"{self.where}: image {name} has no label: give it one, or leave it out"
                )
        if len(counts) == 1:
            raise DataError(
                f"{self.where}: all {len(labels)} images are of the class "
                f"{labels[0]!r}; expected two classes or more"
            )
        if _are_measurements(counts):
            odd = next(label for label in counts if not float(label).is_integer())
            raise DataError(
                f"{self.where}: the labels are numbers such as {odd}, where classes "
                "are expected; regression is not for benchbase"
            )
        if len(counts) * LEAST_IMAGES > len(labels):
            raise DataError(
                f"{self.where}: {len(counts):,} different labels for {len(labels):,} images, "
                f"such as {', '.join(list(counts)[:3])}: is this the column of the classes?"
            )
        for label, count in counts.items():
            if count < LEAST_IMAGES:
                raise DataError(
                    f"{self.where}: the class {label!r} has {count} image, "
                    f"{self.names[labels.index(label)]}; expected {LEAST_IMAGES} or more, one "
                    "to train on and one to be judged by: leave it out, or join it to another class"
                )
        for name, label in zip(self.names, self.labels, strict=True):
            if label not in counts:
                raise DataError(
                    f"{self.where}: image {name} is labelled {label!r}, which no true label is: "
                    f"expected one of {', '.join(list(counts)[:FEW])}; name the classes alike, or "
                    "leave the image out"
                )
        return self.with_notes(*_alike(counts))


def _are_measurements(labels: Collection[str]) -> bool:
    """Tell numbers of which some are no whole ones from names of classes."""
    try:
        return not all(float(label).is_integer() for label in labels)
    except (ValueError, OverflowError):
        return False


def _alike(labels: Collection[str]) -> Iterator[str]:
    """Say which classes somebody may have written in two ways; letters may be classes."""
    spellings = defaultdict(list)
    for label in labels:
        spellings[label.casefold()].append(label)
    for same in spellings.values():
        if len(same) > 1:
            yield f"the classes {', '.join(same)} differ in capitals alone: are they one?"


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Give the classes, most frequent first, those of one count in their natural order."""
    counts = Counter(labels)
    return tuple(sorted(counts, key=lambda label: (-counts[label], _natural(label))))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Order 2 before 10."""
    pieces = re.split(r"(\d+)", text)
    return [(1, int(it), "") if it.isdigit() else (0, 0, it.lower()) for it in pieces if it]


def part_named(text: str, where: str) -> str:
    """Tell which part a folder's name or a cell means.

    Raises:
        DataError: it means none.
    """
    try:
        return PARTS[text.strip().lower()]
    except KeyError:
        raise DataError(f"{where}: {text!r}: expected one of {', '.join(PARTS)}") from None


def once_each(listing: Listing) -> Listing:
    """Leave out what a table says twice.

    Raises:
        DataError: an image stands there with two labels, groups or parts.
    """
    said: dict[str, int] = {}
    kept = []
    for row, name in enumerate(listing.names):
        first = said.setdefault(name, row)
        if first == row:
            kept.append(row)
            continue
        for what, values in (
            ("labels", listing.labels),
            ("true labels", listing.truths),
            ("groups", listing.groups),
            ("parts", listing.parts),
            ("marks of what was verified", listing.verified),
        ):
            if values is not None and values[first] != values[row]:
                raise DataError(
                    f"{listing.where}: the image {name} stands there with two {what}, "
                    f"{values[first]!r} and {values[row]!r}: keep one of the rows"
                )
    if len(kept) == len(listing.names):
        return listing
    left_out = len(listing.names) - len(kept)
    return listing.take(kept).with_notes(f"{left_out:,} rows repeat another, left out")
