"""Tables of the methods that need no more than a reader has; ranks and words are of each pool."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from benchbase.boards.board import Board
from benchbase.leaderboard.choose import means
from benchbase.leaderboard.evidence import Evidence
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.records.record import Record

CLEAN_LABELS = frozenset({"trusted", "oracle", "truth"})
NETWORKS = frozenset({"own network"})
POOLS = {
    "all": ("all methods", frozenset[str]()),
    "unchecked": ("no clean labels", CLEAN_LABELS),
    "single": ("one network", NETWORKS),
    "both": ("no clean labels, one network", CLEAN_LABELS | NETWORKS),
}
"""Name -> words, and the needs that no method in it has."""


@dataclass(frozen=True)
class Pool:
    """A board with fewer rivals."""

    name: str
    words: str
    table: Table


def pools(board: Board, records: Sequence[Record], evidence: Evidence) -> list[Pool]:
    """Make the table of each pool; the reference is in all, and equal pools are one."""
    found: dict[frozenset[str], Pool] = {}
    for name, (words, without) in POOLS.items():
        kept = [
            record
            for record in records
            if not without & record.grants.keys() or means(board.reference, record)
        ]
        keys = frozenset(record.key for record in kept)
        if keys not in found:
            smaller = _of_records(board, kept) if without else board
            found[keys] = Pool(name, words, build(smaller, kept, evidence))
    return [*found.values()]


def _of_records(board: Board, records: Sequence[Record]) -> Board:
    """Keep the rows that have records."""
    weighters, controls = (
        tuple(each for each in rows if any(means(each, record) for record in records))
        for rows in (board.weighters, board.controls)
    )
    return dataclasses.replace(
        board,
        weighters=weighters or (board.reference,),
        controls=controls,
        yardsticks={
            kind: selector
            for kind, selector in board.yardsticks.items()
            if selector in (*weighters, *controls, board.reference)
        },
    )
