"""What was run last in a home, and which records a board has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchbase.boards.board import Board, board_folder, load_board
from benchbase.errors import StoreError, UsageError
from benchbase.files import replace_file
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.record import Record
from benchbase.records.store import Store


def remember_run(home: Home, board: Board, records: Iterable[Record], folder: Path | None) -> None:
    """Note the board as it ran, the keys of its cells, and the leaderboard's folder if any."""
    last = {
        "board": board,
        "keys": sorted({record.key for record in records}),
        "folder": None if folder is None else str(folder.resolve()),
    }
    replace_file(home.last, msgspec.json.encode(last))


def last_run(store: Store) -> tuple[Board, list[Record]]:
    """Give the board that ran last, and its records.

    Raises:
        UsageError: nothing was run yet.
        StoreError: what was noted of the last run is damaged.
    """
    path = store.home.last
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        board, keys = msgspec.convert(last["board"], Board), set(last["keys"])
        folder = Path(last["folder"]) if last["folder"] else None
    except FileNotFoundError:
        raise UsageError(
            f"nothing was run with the home {store.home.path} yet: `benchbase run` does, "
            "`benchbase show --board NAME` shows a board, --home names another folder"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise StoreError(
            f"{path}: not what `benchbase run` writes ({error!r}); run it again to replace the file"
        ) from error
    committed = committed_records(folder) if folder else []
    stored = [record for key in sorted(keys) for record in store.attempts(key)]
    return board, [*(record for record in committed if record.key in keys), *stored]


def board_records(name: str, store: Store) -> tuple[Board, list[Record]]:
    """Give a board as its file says, and all records that there are."""
    folder = board_folder(name)
    return load_board(name), [*(committed_records(folder) if folder else []), *store.records()]


def committed_records(folder: Path) -> list[Record]:
    """Give the records of a board's folder that count: none where it is frozen."""
    frozen = load_board(str(folder.resolve())).frozen
    return [] if frozen else Committed(folder).records()
