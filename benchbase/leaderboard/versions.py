"""Values of two versions of a metric never meet in one table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import msgspec

from benchbase.boards.board import Board
from benchbase.judging.clinical import board_metrics
from benchbase.leaderboard.choose import Entry
from benchbase.records.record import Record, Score


def of_one_version(board: Board, entries: Sequence[Entry]) -> list[Entry]:
    """Take away what is of another version than the board asks for, or than the newest attempt."""
    kept = _kept_versions(board, entries)
    return [
        dataclasses.replace(
            entry,
            cells={place: _of_versions(record, kept) for place, record in entry.cells.items()},
        )
        for entry in entries
    ]


def _kept_versions(board: Board, entries: Sequence[Entry]) -> dict[str, str]:
    records = [record for entry in entries for record in entry.cells.values()]
    newest = sorted((it for it in records if it.metric_versions), key=lambda it: it.attempt)
    kept = {name: version for one in newest for name, version in one.metric_versions.items()}
    asked = {each.name: each.version for each in board_metrics(board.metric, board.metric_options)}
    return {**kept, **asked}


def _of_versions(record: Record, kept: Mapping[str, str]) -> Record:
    stale = {name for name, version in record.metric_versions.items() if kept[name] != version}
    if not stale:
        return record
    gone = Score(value=None, reason="of another version of the metric")
    return msgspec.structs.replace(
        record,
        metrics={
            rule: {name: gone if name in stale else score for name, score in scores.items()}
            for rule, scores in record.metrics.items()
        },
    )
