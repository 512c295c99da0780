"""Puts a board's predictions beside its results, and checks the results against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchbase.boards.board import Board
from benchbase.boards.conditions import scenario_text
from benchbase.errors import StoreError
from benchbase.judging.clinical import board_metrics
from benchbase.judging.scales import SCALES
from benchbase.leaderboard.choose import Entry, choose
from benchbase.records.committed_predictions import CommittedPredictions
from benchbase.records.home import Home
from benchbase.records.recomputing import differences
from benchbase.records.record import Record


@dataclass(frozen=True)
class Checked:
    """What came of computing a board's scores again."""

    count: int
    """Records whose scores were computed again."""
    problems: tuple[str, ...]


def commit_predictions(
    folder: Path, board: Board, records: Iterable[Record], home: Home
) -> list[Path]:
    """Write the predictions of each method and scenario whose seeds are complete.

    Raises:
        StoreError: a committed file is damaged, or cannot be written.
    """
    committed = CommittedPredictions(folder)
    all_logits = SCALES[board.metric].needs_logits
    written = [
        committed.add(found, home.path, all_logits=all_logits)
        for _, found in _complete(board, records)
    ]
    return sorted({path for paths in written for path in paths})


def check_predictions(folder: Path, board: Board, records: Iterable[Record]) -> Checked:
    """Compute every score again whose predictions are committed; say which are not, but should be.

    The metrics of plugins are not: they are whatever is installed where they were computed.
    """
    committed = CommittedPredictions(folder)
    metrics = board_metrics(board.metric, board.metric_options)
    records = list(records)
    lacking = {
        record.key: f"{entry.label} on {_scenario(record)}: predictions are missing; `benchbase "
        f"run --board {board.name}` writes them in the home where its cells ran"
        for entry, found in _complete(board, records)
        for record in found
    }
    count, problems = 0, []
    for record in records:
        where = f"{record.spec.weighter.label} on {_scenario(record)}, seed {record.spec.seed}"
        try:
            answers, truth = committed.answers(record), committed.truth(record)
        except StoreError as error:
            problems.append(str(error))
            continue
        if answers is None:
            continue
        lacking.pop(record.key, None)
        count += 1
        if truth is None:
            problems.append(f"{where}: no labels beside its predictions")
        else:
            found = next(differences(record, answers, truth, metrics), None)
            problems += [] if found is None else [f"{where}: {found}"]
    return Checked(count, tuple(dict.fromkeys((*problems, *lacking.values()))))


def _complete(board: Board, records: Iterable[Record]) -> Iterator[tuple[Entry, list[Record]]]:
    """Give the successful records of each method and scenario that has all its seeds."""
    for entry in choose(board, records):
        wanted = {board.seeds.index(seed) for seed in entry.seeds}
        for scenario in range(len(board.scenarios)):
            cells = {seed: it for (place, seed), it in entry.cells.items() if place == scenario}
            found = [record for _, record in sorted(cells.items()) if record.status == "ok"]
            if cells.keys() >= wanted and found:
                yield entry, found


def _scenario(record: Record) -> str:
    return f"{record.spec.scenario.data} {scenario_text(record.spec.scenario)}"
