"""A committed board: its records, what bears them out, and the table of both, each found once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbase.boards.board import Board, boards_with_results
from benchbase.leaderboard.evidence import Evidence
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.leaderboard.verifying import evidence_of
from benchbase.records.committed import Committed
from benchbase.records.record import Record


@dataclass(frozen=True)
class CommittedBoard:
    """What pages of a board are made of; verifying it took most of the time."""

    folder: Path
    board: Board
    records: Sequence[Record]
    evidence: Evidence
    table: Table


def verified_board(folder: Path, board: Board, records: Iterable[Record]) -> CommittedBoard:
    """Verify what is kept beside the records of a board, and make its table.

    Raises:
        StoreError: what lies beside the records is damaged.
    """
    records = list(records)
    evidence = evidence_of(folder, board, records)
    return CommittedBoard(folder, board, records, evidence, build(board, records, evidence))


def verified_boards() -> list[CommittedBoard]:
    """Verify every board below ``leaderboards/`` whose results count.

    Raises:
        UsageError: there is no board at all, or a board file says something wrong.
        StoreError: a committed file is damaged.
    """
    return [
        verified_board(folder, board, Committed(folder).records())
        for folder, board in boards_with_results()
    ]
