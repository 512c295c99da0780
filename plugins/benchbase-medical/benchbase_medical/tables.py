"""Tables in which challenges publish labels and groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbase import DataError
from benchbase.data.own.tables import Table, read_table


def find_table(folder: Path, names: Sequence[str]) -> Table | None:
    """Read the first of the files that is there; None where none is."""
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    return None if found is None else read_table(found, found.suffix or ".csv")


def one_hot(table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """Give each row's label: the column, in lower case, that holds a 1 where the others hold 0.

    Raises:
        DataError: a row has no such column, or several.
    """
    held = [table.texts(column, "label") for column in columns]
    labels = []
    for row, cells in enumerate(zip(*held, strict=True)):
        ones = [column for column, cell in zip(columns, cells, strict=True) if float(cell or 0) > 0]
        if len(ones) != 1:
            raise DataError(
                f"{table.where(row)}: expected 1.0 in one of {', '.join(columns)} and 0.0 in the "
                f"others, found {', '.join(cells)}"
            )
        labels.append(ones[0].lower())
    return tuple(labels)


def groups_of(table: Table, name: str, group: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Give the group of each name; one without a group stands alone.

    Raises:
        DataError: the table lacks a column.
    """
    known = dict(zip(table.texts(name, "image"), table.texts(group, "group"), strict=True))
    return tuple(known.get(each) or f"alone {each}" for each in wanted)
