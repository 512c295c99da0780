"""Which images test: drawn once, whole groups, each class in its share; or as the user says."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.data.own.listing import Listing, part_named
from benchbase.data.own.lookup import Lookup
from benchbase.data.own.tables import read_table
from benchbase.data.split import draw
from benchbase.errors import DataError
from benchbase.seeding import numpy_stream

TEST_SHARE = 0.2
COLUMNS = ("image", "split")
"""Of a split file; more are allowed."""

Mask = NDArray[np.bool_]


def draw_test(labels: Labels, groups: NDArray[np.int64] | None, classes: Sequence[str]) -> Mask:
    """Tell the images that test: ``TEST_SHARE`` of each class, as near as whole groups allow.

    Drawn with data seed 0 from the order of the images; each class stays on both sides.

    Raises:
        DataError: a class comes from one group only.
    """
    rng = numpy_stream(0, "own", "test")
    sizes = np.bincount(labels, minlength=len(classes))
    wanted = np.maximum(1, np.rint(TEST_SHARE * sizes)).astype(np.int64)
    if groups is None:
        chosen = np.zeros(len(labels), dtype=np.bool_)
        chosen[draw(labels, wanted, rng)] = True
        return chosen
    counts = np.zeros((groups.max() + 1, len(classes)), dtype=np.int64)
    np.add.at(counts, (groups, labels), 1)
    for label, name in enumerate(classes):
        if (counts[:, label] > 0).sum() < 2:
            raise DataError(
                f"all {sizes[label]} images of the class {name!r} are of one group, which cannot "
                "be trained on and judged by at once: leave the class out, join it to another, or "
                "group by something finer"
            )
    return _draw_groups(counts, wanted, rng)[groups]


def _draw_groups(
    counts: NDArray[np.int64], wanted: NDArray[np.int64], rng: np.random.Generator
) -> Mask:
    """Choose groups, those of rare classes first, that bring each of their classes nearer."""
    rarity = np.where(counts > 0, wanted, wanted.max() + 1).min(axis=1)
    order = rng.permutation(len(counts))
    order = order[np.argsort(rarity[order], kind="stable")]
    left = (counts > 0).sum(axis=0)
    held = np.zeros_like(wanted)
    chosen = np.zeros(len(counts), dtype=np.bool_)
    for group in order:
        own = counts[group]
        nearer = np.abs(held + own - wanted) < np.abs(held - wanted)
        # A class without a test image yet takes what there is, but never its last group.
        needed = ((own > 0) & (held == 0)).any()
        if (nearer[own > 0].all() or needed) and (left[own > 0] > 1).all():
            chosen[group] = True
            held += own
            left -= own > 0
    return chosen


def read_split(path: Path, listing: Listing) -> tuple[str, ...]:
    """Read which part each image of a listing is of, from a table of images and parts.

    Raises:
        DataError: the file lacks an image, or names one that there is not, or one twice.
    """
    table = read_table(path)
    images, parts = (table.texts(name, "--split") for name in COLUMNS)
    lookup = Lookup(listing.names)
    found: dict[str, str] = {}
    for row, (image, part) in enumerate(zip(images, parts, strict=True)):
        where = table.where(row)
        name = lookup.one(image, where, Path(listing.where))
        if found.setdefault(name, part_named(part, where)) != part_named(part, where):
            raise DataError(f"{where}: the image {image!r} stands in two parts: keep one of them")
    missing = [name for name in listing.names if name not in found]
    if missing:
        raise DataError(
            f"{path}: {len(missing)} of {len(listing.names)} images have no part, such as "
            f"{missing[0]}: give each train, val or test"
        )
    return tuple(found[name] for name in listing.names)


def split_text(
    names: Sequence[str], parts: Sequence[str], labels: Sequence[str], groups: Sequence[str] | None
) -> str:
    """Write a split as a table that ``read_split`` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, "label", *(["group"] if groups is not None else [])])
    columns = (names, parts, labels, *([groups] if groups is not None else []))
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()
