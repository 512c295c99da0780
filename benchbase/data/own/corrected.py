"""Labels that somebody corrected: a table of images and labels, which training then sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbase.data.own.listing import Listing
from benchbase.data.own.lookup import Lookup
from benchbase.data.own.tables import Table, read_table
from benchbase.errors import DataError
from benchbase.options import unknown

IMAGE = ("image", "path")
LABEL = ("label", "suggested")
"""What columns are called, by whoever writes such a table: `benchbase suspects`, or its page."""
GIVEN = "given"
"""The label that was corrected, where the table says it: it must still be there."""


def read_corrected(path: Path, listing: Listing) -> tuple[str, ...]:
    """Give each image's label as corrected; images that the table does not name keep theirs.

    Raises:
        DataError: the table names an image or a class that there is not, an image with two labels,
            one that was verified, or a given label that is another one by now.
    """
    table = read_table(path)
    images = table.texts(_column(table, IMAGE), "--labels")
    labels = table.texts(_column(table, LABEL), "--labels")
    given = table.texts(GIVEN, "--labels") if GIVEN in table.columns else None
    lookup = Lookup(listing.names)
    rows = {name: row for row, name in enumerate(listing.names)}
    classes = sorted({*listing.judging})
    found: dict[int, str] = {}
    for line, (image, label) in enumerate(zip(images, labels, strict=True)):
        where = table.where(line)
        row = rows[lookup.one(image, where, Path(listing.where))]
        old = listing.labels[row]
        if label not in classes:
            raise DataError(f"{where}: {unknown('class', label, classes)}")
        if found.setdefault(row, label) != label:
            raise DataError(f"{where}: the image {image!r} stands there with two labels, "
                            f"{found[row]!r} and {label!r}: keep one of the rows")  # fmt: skip
        if given is not None and given[line] != old:
            raise DataError(
                f"{where}: the label that was corrected is {given[line]!r} there and {old!r} in "
                f"{listing.where}: this table is about other labels; make it anew"
            )
        if label != old and listing.verified is not None and listing.verified[row]:
            raise DataError(
                f"{where}: the image {image!r} is verified as {old!r} (--trusted) and corrected "
                f"to {label!r} (--labels): leave it out of one of them"
            )
    return tuple(found.get(row, old) for row, old in enumerate(listing.labels))


def _column(table: Table, names: Sequence[str]) -> str:
    for name in names:
        if name in table.columns:
            return name
    raise DataError(
        f"{table.path}: --labels: expected a column {' or '.join(names)}, found "
        f"{', '.join(table.columns)}"
    )
