"""Trains stored cells again, in a home that goes afterwards, and compares what comes out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbase.boards.board import Board
from benchbase.boards.plan import Plan
from benchbase.errors import StoreError, UsageError
from benchbase.judging.statistics import NO_MATTER
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import score_of
from benchbase.records.committed_predictions import Answers, CommittedPredictions
from benchbase.records.home import Home
from benchbase.records.predictions import read_predictions
from benchbase.records.record import Record
from benchbase.records.replays import Replay, judge_replay, same_bits
from benchbase.records.store import Store
from benchbase.running.executors.contract import Execution, Job
from benchbase.running.settings import Settings
from benchbase.running.sweep import sweep

SPREADS = 3.0
"""Differences of so many deviations between seeds are taken for none."""


@dataclass(frozen=True)
class Asked:
    """A stored cell that is to be replayed."""

    record: Record
    job: Job
    tolerance: float
    answers: Answers | None
    """What is kept of its predictions, if anything is."""


def sample(
    board: Board, records: Sequence[Record], count: int, among: Container[str] | None = None
) -> list[Record]:
    """Draw records that count on the board and ended well; nobody can know beforehand which.

    ``among`` are the keys to draw from, if not all.

    Raises:
        UsageError: there are none.
    """
    good = [
        record
        for entry in choose(board, records)
        for record in entry.cells.values()
        if score_of(record, board.rule, board.metric) is not None
        and (among is None or record.key in among)
    ]
    if not good:
        raise UsageError(f"{board.name!r} has no cell that ended well: run the board first")
    return secrets.SystemRandom().sample(good, min(count, len(good)))


def reference_beside(board: Board, records: Sequence[Record], chosen: Sequence[Record]) -> Record:
    """Give the reference's cell at the place of one of these, where it has a score, or one."""
    entries = choose(board, records)
    keys = {record.key for record in chosen}
    [reference] = (entry for entry in entries if entry.reference)
    beside = (
        at
        for entry in entries
        for place, record in entry.cells.items()
        if record.key in keys
        and (at := reference.cells.get(place)) is not None
        and score_of(at, board.rule, board.metric) is not None
    )
    return next(beside, chosen[0])


def tolerances(board: Board, records: Sequence[Record]) -> dict[str, float]:
    """Give for each key the difference that is taken for none.

    Three deviations between seeds, pooled over the methods of its scenario, and never less than
    ``NO_MATTER``.
    """
    scores: dict[int, list[list[float]]] = {}
    places: dict[str, int] = {}
    for entry in choose(board, records):
        for scenario in range(len(board.scenarios)):
            cells = [it for (place, _), it in entry.cells.items() if place == scenario]
            places |= {record.key: scenario for record in cells}
            found = [score_of(record, board.rule, board.metric) for record in cells]
            known = [score for score in found if score is not None]
            scores.setdefault(scenario, []).append(known)
    spread = {scenario: _pooled(groups) for scenario, groups in scores.items()}
    return {key: max(NO_MATTER, SPREADS * spread[place]) for key, place in places.items()}


def _pooled(groups: Sequence[Sequence[float]]) -> float:
    """Give the deviation within groups, over all of them."""
    squares = sum(
        float(((np.array(group) - np.mean(group)) ** 2).sum()) for group in groups if group
    )
    degrees = sum(len(group) - 1 for group in groups if group)
    return float((squares / degrees) ** 0.5) if degrees else 0.0


def kept_answers(record: Record, folder: Path | None, home: Home) -> Answers | None:
    """Find what is kept of a record's predictions, beside the board or in the home."""
    if folder is not None:
        return CommittedPredictions(folder).answers(record)
    try:
        return Answers.of(read_predictions(record, home.path), all_logits=True)
    except (UsageError, StoreError):
        return None


def replay(
    asked: Sequence[Asked],
    execution: Execution,
    settings: Settings,
    *,
    scored_by: tuple[str, str],
    by: str,
    heard: Callable[[Replay, Record], None],
) -> list[Replay]:
    """Train cells that have a score again; ``scored_by`` are a rule and a metric.

    ``heard`` hears of each, and of its record as it is today.

    ``settings.home`` is where the records of the replays go.
    """
    waiting: Mapping[str, Asked] = {one.job.cell.key: one for one in asked}
    done: list[Replay] = []

    def finished(job: Job, record: Record | None) -> None:
        if record is None:
            return
        one = waiting[job.cell.key]
        recorded = score_of(one.record, *scored_by)
        assert recorded is not None
        today = kept_answers(record, None, settings.home)
        done.append(
            judge_replay(
                one.record,
                record,
                equal=same_bits(one.record, record, one.answers, today),
                scores=(recorded, score_of(record, *scored_by)),
                tolerance=one.tolerance,
                by=by,
            )
        )
        heard(done[-1], record)

    train([one.job for one in asked], execution, settings, finished)
    return done


def train(
    jobs: Sequence[Job],
    execution: Execution,
    settings: Settings,
    finished: Callable[[Job, Record | None], None],
) -> None:
    """Train cells; ``finished`` hears of each, with None where its record was not written."""
    sweep(
        Plan(tuple(jobs), {}),
        execution,
        settings,
        Store(settings.home),
        started=lambda _: None,
        finished=finished,
    )
