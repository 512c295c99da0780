"""Verifies a board: scores follow from predictions, replays are of records that are there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchbase.boards.board import Board
from benchbase.boards.conditions import scenario_text
from benchbase.cell import Scenario
from benchbase.data.labels import DrawnLabels
from benchbase.data.secret import secret_of
from benchbase.errors import StoreError
from benchbase.judging.clinical import board_metrics
from benchbase.judging.extra import Extra
from benchbase.judging.scales import SCALES
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.evidence import Evidence
from benchbase.leaderboard.predictions import complete
from benchbase.records.committed_predictions import (
    Answers,
    CommittedPredictions,
    Truth,
    attempt_name,
)
from benchbase.records.following import contradictions
from benchbase.records.labelling import label_differences
from benchbase.records.recomputing import differences, recorded_only
from benchbase.records.record import Record
from benchbase.records.replays import FILE as REPLAYS
from benchbase.records.replays import Replay, read_replays

LabelsOf = Callable[[Scenario, int], DrawnLabels | None]
"""Gives the labels that the data have; None where these are not here."""


def no_data(*_: object) -> None:
    """Compare no labels with the data, be these here or not."""


@dataclass
class Verified:
    """What came of verifying records."""

    records: int = 0
    recomputed: set[str] = field(default_factory=set)
    """Attempts whose scores were computed again, and agree."""
    contradicted: set[str] = field(default_factory=set)
    """Attempts whose scores do not agree."""
    replays: list[Replay] = field(default_factory=list)
    """Those that are of records here, and may be."""
    resumed: int = 0
    """Records of cells that had more than one life."""
    compared: int = 0
    """Records whose data were drawn again."""
    recorded_only: set[str] = field(default_factory=set)
    """Metrics that the predictions do not give under some rule."""
    damaged: dict[str, None] = field(default_factory=dict)
    """What cannot be read."""
    problems: list[str] = field(default_factory=list)

    @property
    def evidence(self) -> Evidence:
        """What a page may say: the same wherever it is made, be the data there or not."""
        return Evidence(
            frozenset(self.recomputed), frozenset(self.contradicted), tuple(self.replays)
        )


class Verifier:
    """Goes through records one by one; what it found is in ``verified``."""

    def __init__(self, labels_of: LabelsOf, metrics: Iterable[Extra] = ()) -> None:
        self._labels_of = labels_of
        self._metrics = tuple(metrics)
        self._known: dict[tuple[str, str], int] = {}
        self.verified = Verified()

    def take(self, record: Record, answers: Answers | None, truth: Truth | None) -> None:
        """Verify a record against what its scores are computed from, where that is there."""
        self.verified.records += 1
        self.verified.resumed += record.provenance.lives > 1
        drawn = self._labels_of(record.spec.scenario, record.spec.seed)
        self.verified.compared += drawn is not None
        self.fail(record, label_differences(record, truth, drawn))
        follows = self.fail(record, contradictions(record))
        if not follows:
            self.verified.contradicted.add(attempt_name(record))
        if answers is None:
            return
        if truth is None:
            self.fail(record, ["no labels beside its predictions"])
            return
        self.verified.recorded_only |= recorded_only(record, answers, self._metrics)
        agrees = self.fail(record, differences(record, answers, truth, self._metrics))
        agrees &= self.fail(record, self._copied(record, answers))
        told = self.verified.recomputed if agrees and follows else self.verified.contradicted
        told.add(attempt_name(record))

    def fail(self, record: Record, found: Iterable[str]) -> bool:
        """Note the first thing that is wrong with a record; tell whether nothing is."""
        first = next(iter(found), None)
        if first is not None:
            self.verified.problems.append(f"{where(record)}: {first}")
        return first is None

    def _copied(self, record: Record, answers: Answers) -> Iterator[str]:
        """Find one run that stands for two seeds: models of two never agree to the last bit."""
        if not (answers.logits != answers.logits[:, :1]).any():
            return  # one answer for all images may well be the same twice
        digest = hashlib.sha256(answers.logits.tobytes()).hexdigest()
        row = f"{record.spec.weighter.label} on {_scenario(record)}"
        other = self._known.setdefault((row, digest), record.spec.seed)
        if other != record.spec.seed:
            yield f"its predictions are those of seed {other}: a seed counts once"


def verify_board(
    folder: Path, board: Board, records: Iterable[Record], labels_of: LabelsOf = no_data
) -> Verified:
    """Verify the committed records of a board, and say which predictions are missing.

    The metrics of plugins are not computed again: they are whatever is installed where they were.
    """
    records = list(records)
    chosen = choose(board, records)
    wanted = {record.key for _, found in complete(board, chosen) for record in found}
    return _verified(folder, board, records, labels_of, wanted)


def _verified(
    folder: Path,
    board: Board,
    records: Sequence[Record],
    labels_of: LabelsOf,
    wanted: Container[str],
) -> Verified:
    """Verify records; ``wanted`` are the keys of those whose predictions must be there."""
    committed = CommittedPredictions(folder)
    verifier = Verifier(labels_of, board_metrics(board.metric, board.metric_options))
    found = verifier.verified
    for record in records:
        verifier.fail(record, _other_secret(record, board))
        try:
            answers, truth = committed.answers(record), committed.truth(record)
        except StoreError as error:
            found.damaged[str(error)] = None
            continue
        verifier.take(record, answers, truth)
        if answers is None and record.key in wanted:
            lacking = f"its predictions are missing; `benchbase run --board {board.name}` writes "
            verifier.fail(record, [f"{lacking}them in the home where its cells ran"])
    _take_replays(found, folder / "results", board, records)
    found.problems += found.damaged
    return found


def _other_secret(record: Record, board: Board) -> Iterator[str]:
    """Say what keeps a record off a board: one board, one way to draw split and noise."""
    drawn = secret_of(record.spec.data)
    if drawn != (record.noise_secret or ""):
        yield "its key and its noise_secret name two secrets"
    if drawn != board.noise_secret:
        names = [f"the secret {it}" if it else "public seeds" for it in (drawn, board.noise_secret)]
        yield "its split and noise are of {}, those of the board of {}".format(*names)


def evidence_of(folder: Path, board: Board, records: Iterable[Record]) -> Evidence:
    """Verify the committed records of a board for its pages.

    Raises:
        StoreError: a file is damaged.
    """
    found = _verified(folder, board, list(records), no_data, ())
    if found.damaged:
        raise StoreError(next(iter(found.damaged)))
    return found.evidence


def _take_replays(found: Verified, folder: Path, board: Board, records: Iterable[Record]) -> None:
    """Keep the replays that may be of records that are there; the others are problems."""
    try:
        replays = read_replays(folder)
    except StoreError as error:
        found.damaged[str(error)] = None
        return
    known = {(record.key, record.attempt): record for record in records}
    for number, replay in enumerate(replays, start=1):
        problem = _odd(replay, known.get((replay.key, replay.attempt)), board)
        if problem is None:
            found.replays.append(replay)
        else:
            found.problems.append(f"{folder / REPLAYS}, line {number}: {problem}")


def _odd(replay: Replay, record: Record | None, board: Board) -> str | None:
    """Say what keeps a line from being of a record."""
    if record is None:
        return f"there is no record with the key {replay.key[:12]} and that attempt to replay"
    recorded = score_of(record, board.rule, board.metric)
    if recorded is None or replay.recorded != recorded:
        return f"it says that the record had {replay.recorded}, the record says {recorded}"
    scale = SCALES[board.metric]
    if replay.replayed is not None and not scale.low <= replay.replayed <= scale.high:
        return f"no {board.metric} is {replay.replayed}"
    if replay.finished < record.provenance.finished:
        return "it was finished before the record was"
    return None


def where(record: Record) -> str:
    """Name a record's place on a board."""
    return f"{record.spec.weighter.label} on {_scenario(record)}, seed {record.spec.seed}"


def _scenario(record: Record) -> str:
    return f"{record.spec.scenario.data} {scenario_text(record.spec.scenario)}"
