"""Which labels somebody has verified: a column that says yes or no, or a table of their images."""

from __future__ import annotations

from pathlib import Path

from benchbase.data.own.listing import Listing
from benchbase.data.own.lookup import Lookup
from benchbase.data.own.tables import ENDINGS, Table, read_table
from benchbase.errors import DataError

YES = ("1", "true", "yes", "y", "x")
NO = ("0", "false", "no", "n", "")

Verified = tuple[bool, ...]


def is_table(text: str) -> bool:
    """Tell a table by its ending from the name of a column."""
    return Path(text).suffix.lower() in ENDINGS


def verified_by_column(table: Table, column: str) -> Verified:
    """Read a cell for each image: yes or no.

    Raises:
        DataError: there is no such column, or a cell says neither.
    """
    cells = [cell.lower() for cell in table.texts(column, "--trusted")]
    for row, cell in enumerate(cells):
        if cell not in (*YES, *NO):
            raise DataError(
                f"{table.where(row)}, {column}: {cell!r}: expected one of {', '.join(YES)} for a "
                f"label that somebody verified, {', '.join(filter(None, NO))} or nothing for others"
            )
    return tuple(cell in YES for cell in cells)


def read_verified(path: Path, listing: Listing) -> Verified:
    """Tell for each image of a listing whether a table names it in its column ``image``.

    A column ``label`` repeats what was verified, and must agree.

    Raises:
        DataError: the table names an image that there is not, or another label.
    """
    table = read_table(path)
    images = table.texts("image", "--trusted")
    labels = table.texts("label", "--trusted") if "label" in table.columns else None
    lookup, known = Lookup(listing.names), dict(zip(listing.names, listing.judging, strict=True))
    found = set()
    for row, image in enumerate(images):
        name = lookup.one(image, table.where(row), Path(listing.where))
        if labels is not None and labels[row] != known[name]:
            raise DataError(
                f"{table.where(row)}: verified as {labels[row]!r}, where {listing.where} says "
                f"{known[name]!r}: correct it there, or leave out the column label"
            )
        found.add(name)
    return tuple(name in found for name in listing.names)
