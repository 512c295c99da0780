"""All images of a data set, whatever part they are of, with their labels as given."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchbase.data.cache import Prepared, writing
from benchbase.data.contract import Labels, Part, Pixels
from benchbase.data.maps import ImageMap, lay_out
from benchbase.errors import DataError

PARTS = ("train", "validation", "test")
FOLDS = 4


@dataclass(frozen=True)
class Labelled:
    """Images by name, with labels that may be wrong."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    map: ImageMap
    labels: Labels
    groups: NDArray[np.int64] | None
    """Patient, lesion or slide of each image, where that is known."""
    parts: tuple[str, ...] = ()
    """Of which part each image is."""
    verified: NDArray[np.bool_] | None = None
    """Whose labels somebody verified; None where nobody says."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> Pixels:
        """The images themselves, read-only."""
        return self.map.pixels

    @property
    def doubtful(self) -> int:
        """How many labels nobody verified."""
        return len(self) if self.verified is None else int((~self.verified).sum())

    def undoubted_last(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the scores without those of verified labels, which nobody doubts."""
        return scores if self.verified is None else np.where(self.verified, np.nan, scores)


def all_images(prepared: Prepared) -> Labelled:
    """Put the parts of a data set together; images without a name are called by part and row.

    Raises:
        RunError: there is no space for the map of them all.
    """
    parts = prepared.parts
    found: dict[str, Part] = {name: getattr(parts, name) for name in PARTS if getattr(parts, name)}
    names = {name: [f"{name}/{row}" for row in range(len(part))] for name, part in found.items()}
    groups: dict[str, Sequence[str]] = {name: names[name] for name in found}
    known = parts.groups is not None
    if parts.split_file:
        # In the order of the source, which the rows of each part keep.
        rows = list(csv.DictReader(io.StringIO(parts.split_file)))
        for name in found:
            own = [row for row in rows if row["split"] == name]
            names[name] = [row["image"] for row in own]
            groups[name] = [row.get("group", "") for row in own]
    elif parts.groups is not None:
        groups["train"] = [str(group) for group in parts.groups]
        if parts.test_groups is not None:
            groups["test"] = [str(group) for group in parts.test_groups]
    joined = [group for name in found for group in groups[name]]
    sources = [part.pixels for part in found.values()]
    with writing(prepared.folder):
        shared = lay_out(prepared.folder, np.arange(sum(map(len, sources))), *sources)
    return Labelled(
        names=tuple(image for name in found for image in names[name]),
        classes=parts.classes,
        map=shared,
        labels=np.concatenate([_as_given(part) for part in found.values()]),
        groups=np.unique(joined, return_inverse=True)[1] if known else None,
        parts=tuple(name for name, part in found.items() for _ in range(len(part))),
    )


def _as_given(part: Part) -> Labels:
    """Give the labels that may be wrong, where others beside them count as right."""
    return part.labels if part.given is None else part.given


def draw_folds(
    labels: Labels, groups: NDArray[np.int64] | None, classes: Sequence[str], seed: int
) -> Labels:
    """Give each image a fold: whole groups, each class in its share as near as they allow.

    Raises:
        DataError: the images of a class are all of one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    alone = np.arange(len(labels)) if groups is None else groups
    counts = [len(np.unique(alone[labels == label])) for label in range(len(classes))]
    if min(counts) < 2:
        name = classes[int(np.argmin(counts))]
        raise DataError(
            f"the images of the class {name!r} are all of one group, so that no network can learn "
            "the class and be asked about them: leave it out, or join it to another class"
        )
    drawn = StratifiedGroupKFold(min(FOLDS, *counts), shuffle=True, random_state=seed)
    folds = np.empty(len(labels), dtype=np.int64)
    for fold, (_, held) in enumerate(drawn.split(labels, labels, alone)):
        folds[held] = fold
    return folds
