"""Puts a board's predictions beside its results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchbase.boards.board import Board
from benchbase.judging.scales import SCALES
from benchbase.leaderboard.choose import Entry
from benchbase.records.committed_predictions import CommittedPredictions
from benchbase.records.home import Home
from benchbase.records.record import Record


def commit_predictions(
    folder: Path, board: Board, chosen: Iterable[Entry], home: Home
) -> list[Path]:
    """Write the predictions of each method and scenario whose seeds are complete.

    Raises:
        StoreError: a committed file is damaged, or cannot be written.
    """
    committed = CommittedPredictions(folder)
    all_logits = SCALES[board.metric].needs_logits
    written = [
        committed.add(found, home.path, all_logits=all_logits)
        for _, found in complete(board, chosen)
    ]
    return sorted({path for paths in written for path in paths})


def complete(board: Board, chosen: Iterable[Entry]) -> Iterator[tuple[Entry, list[Record]]]:
    """Give the successful records of each method and scenario that has all its seeds."""
    for entry in chosen:
        wanted = {board.seeds.index(seed) for seed in entry.seeds}
        for scenario in range(len(board.scenarios)):
            cells = {seed: it for (place, seed), it in entry.cells.items() if place == scenario}
            found = [record for _, record in sorted(cells.items()) if record.status == "ok"]
            if cells.keys() >= wanted and found:
                yield entry, found
