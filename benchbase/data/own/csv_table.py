"""``csv:PATH``: a table that names images and their labels (CSV, TSV, JSON lines, Parquet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchbase.data.own.columns import NAMES, find_columns, is_pattern
from benchbase.data.own.images import TRUTH, OwnImages
from benchbase.data.own.listing import Listing, part_named
from benchbase.data.own.lookup import Lookup, files_below, is_image
from benchbase.data.own.tables import Table, read_table
from benchbase.data.own.verified import verified_by_column
from benchbase.errors import DataError
from benchbase.options import option


@dataclass(frozen=True)
class CsvTable(OwnImages):
    """Your images as a table names them (csv:FILE): CSV, TSV, JSON lines or Parquet."""

    image: str = option("", "Column of the images: paths, or names without folder or ending.")
    label: str = option("", "Column of the labels.")
    truth: str = option("", TRUTH)
    trusted_column: str = option("", "Column that says of which labels somebody verified them.")
    split: str | None = option("", "Column that says train, val or test; none leaves it unguessed.")

    name: ClassVar[str] = "csv"

    def listing(self) -> Listing:
        """Read the table and find each image."""
        path = self.target
        table = read_table(path)
        where = f"csv:{self.path}"
        asked = {kind: getattr(self, kind) for kind in NAMES}
        columns = find_columns(where, table.columns, asked)
        names, pictures = _images(table, columns.image)
        return Listing(
            where=where,
            names=names,
            labels=_labels(table, columns.label),
            picture=lambda index: pictures[index],
            files=(path, *dict.fromkeys(it for it in pictures if isinstance(it, Path))),
            truths=None if columns.truth is None else _labels(table, columns.truth),
            verified=verified_by_column(table, self.trusted_column)
            if self.trusted_column
            else None,
            groups=_groups(table, columns.group),
            parts=None if columns.split is None else _parts(table, columns.split),
            notes=columns.notes,
        )


def _labels(table: Table, column: str) -> tuple[str, ...]:
    labels = table.texts(column, "label")
    for row, label in enumerate(labels):
        if not label:
            raise DataError(
                f"{table.where(row)}: no label in the column {column!r}: fill it in, or leave the "
                "row out"
            )
    return tuple(labels)


def _groups(table: Table, column: str | None) -> tuple[str, ...] | None:
    """Give the groups, where a column holds them; an image without one stands alone."""
    if column is None or is_pattern(column):
        return None
    groups = table.texts(column, "group")
    return tuple(it or f"alone {row}" for row, it in enumerate(groups))


def _parts(table: Table, column: str) -> tuple[str, ...]:
    cells = table.texts(column, "split")
    return tuple(part_named(it, f"{table.where(row)}, {column}") for row, it in enumerate(cells))


def _images(table: Table, column: str) -> tuple[tuple[str, ...], Sequence[Path | bytes]]:
    """Give each row's image and its name; pictures inside the table are called by their rows."""
    cells = table.column(column, "image")
    if any(isinstance(cell, Mapping | bytes) for cell in cells):
        pictures = [_embedded(cell, table.where(row)) for row, cell in enumerate(cells)]
        return tuple(f"row/{row}" for row in range(len(cells))), pictures
    folder = table.path.parent
    texts = table.texts(column, "image")
    for row, text in enumerate(texts):
        if not text:
            raise DataError(f"{table.where(row)}: no image in the column {column!r}")
    if is_image(texts[0]) and all((folder / text).is_file() for text in texts):
        return tuple(texts), [folder / text for text in texts]
    names = [name for name in files_below(folder) if is_image(name)]
    lookup, known = Lookup(names), set(names)
    found = [
        text if text in known else lookup.one(text, table.where(row), folder)
        for row, text in enumerate(texts)
    ]
    return tuple(found), [folder / name for name in found]


def _embedded(cell: Any, where: str) -> bytes:
    """Take an image out of a cell, as Hugging Face writes them: bytes, or with a path beside."""
    content = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(content, bytes):
        raise DataError(f"{where}: expected an image in the cell, found {cell!r:.60}")
    return content
