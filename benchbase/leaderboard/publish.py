"""Publishes a run: beside which rows it stands, and where its pages go."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchbase.boards.board import Board
from benchbase.boards.places import leaderboards_of
from benchbase.boards.request import Request
from benchbase.leaderboard.choose import choose, means
from benchbase.leaderboard.pages.files import write_index, write_table
from benchbase.leaderboard.predictions import commit_predictions
from benchbase.leaderboard.results import Results
from benchbase.leaderboard.rows import build, tabulate
from benchbase.leaderboard.verifying import evidence_of
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.last import remember_run
from benchbase.records.record import Record


def publish(
    request: Request,
    board: Board,
    committed: Committed | None,
    records: Sequence[Record],
    home: Home,
) -> Results:
    """Write the tables: the board's own folder when it ran as written, else the home."""
    if committed is not None:  # a method of one's own stands beside the board's
        records = [*records, *committed.records()]
        board = beside(board, request.written, records)
    remember_run(home, board, records, request.folder)
    if request.as_written and committed is not None and request.folder is not None:
        changed = committed.merge(records)
        board, records = request.written, committed.records()
        chosen = choose(board, records)
        changed += commit_predictions(request.folder, board, chosen, home)
        table = tabulate(board, chosen, evidence_of(request.folder, board, records))
        written = [*write_table(request.folder, table), *changed]
        if (leaderboards := leaderboards_of(request.folder)) is not None:
            write_index(leaderboards, {request.folder.name: table})
    else:
        table = build(board, records)
        written = write_table(home.table(board.name), table)
    return Results(board, records, table, written)


def beside(board: Board, written: Board, records: Sequence[Record]) -> Board:
    """Add the rows of the board as its file has it, where they have records."""
    others, controls = (
        [each for each in selectors if any(means(each, record) for record in records)]
        for selectors in (written.weighters, written.controls)
    )
    return dataclasses.replace(
        board,
        weighters=tuple(dict.fromkeys((*board.weighters, *others))),
        controls=tuple(dict.fromkeys((*board.controls, *controls))),
        yardsticks={
            kind: selector
            for kind, selector in written.yardsticks.items()
            if selector in (*others, *controls)
        },
    )
