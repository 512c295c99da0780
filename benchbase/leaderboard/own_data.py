"""Says how images of one's own were read."""

from __future__ import annotations

from collections.abc import Sequence

from benchbase.boards.board import Board
from benchbase.leaderboard.choose import Entry


def own_data_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Write a line for each data set of one's own, from what its records say."""
    notes = {
        board.scenarios[place[0]].data: record.corruption.notes
        for entry in entries
        for place, record in entry.cells.items()
        if record.corruption is not None and record.corruption.notes
    }
    return tuple(f"**{data}**: {'; '.join(said)}." for data, said in sorted(notes.items()))
