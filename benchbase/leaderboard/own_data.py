"""Says what the data were: how images of one's own were read, and the cards of data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def cards_of(board: Board, entries: Sequence[Entry]) -> Mapping[str, Mapping[str, str]]:
    """Give the card of each data set that has one, label by label, as its records have it."""
    cards = {
        board.scenarios[place[0]].data: record.corruption.card
        for entry in entries
        for place, record in entry.cells.items()
        if record.corruption is not None and record.corruption.card
    }
    return dict(sorted(cards.items()))
