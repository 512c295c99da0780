"""Finds a record by the first letters of its key: in the home, or beside a leaderboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchbase.boards.board import LEADERBOARDS, board_folder
from benchbase.errors import UsageError
from benchbase.records.last import committed_records
from benchbase.records.record import Record
from benchbase.records.store import Store


@dataclass(frozen=True)
class Found:
    """An attempt, and where it lies."""

    record: Record
    folder: Path | None
    """Of the leaderboard; None for one of the home."""


def find_record(prefix: str, store: Store, board_name: str | None = None) -> Found:
    """Give the newest attempt of the one cell whose key starts with ``prefix``.

    Raises:
        UsageError: there is none, or several cells' keys start so.
    """
    found = [Found(record, None) for record in store.records()]
    folders = [path.parent for path in sorted(LEADERBOARDS.glob("*/board.toml"))]
    if board_name:
        folders = [folder] if (folder := board_folder(board_name)) else []
    for folder in folders:
        found += [Found(record, folder) for record in committed_records(folder)]
    found = [one for one in found if one.record.key.startswith(prefix.lower())]
    keys = {one.record.key for one in found}
    if len(keys) != 1:
        what = "no cell" if not keys else f"{len(keys)} cells"
        raise UsageError(
            f"{what} below {store.home.path} with a key that starts with {prefix!r}: "
            "`benchbase show` lists the keys of failed cells, --json those of a table"
        )
    return max(found, key=lambda one: one.record.attempt)
