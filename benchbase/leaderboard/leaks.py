"""Says what stands on both sides of a split, from what the records counted."""

from __future__ import annotations

from collections.abc import Sequence

from benchbase.boards.board import Board
from benchbase.data.leakage import LEAKS
from benchbase.leaderboard.choose import Entry


def leak_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Write a sentence for each data set that leaks, with the largest counts of its records."""
    most: dict[str, dict[str, int]] = {}
    for entry in entries:
        for place, record in entry.cells.items():
            counts = most.setdefault(board.scenarios[place[0]].data, {})
            counted = record.corruption.leakage if record.corruption else {}
            for kind, count in counted.items():
                counts[kind] = max(count, counts.get(kind, 0))
    found = {
        name: [f"{counts[kind]:,} {text}" for kind, text in LEAKS.items() if counts.get(kind)]
        for name, counts in sorted(most.items())
    }
    return tuple(
        f"Leakage in {name}: {', '.join(parts)}. Scores on it may be too high."
        for name, parts in found.items()
        if parts
    )
