"""Verifies a board: its scores follow from its predictions, its pages from its records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
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
from benchbase.leaderboard.evidence import Evidence
from benchbase.leaderboard.pages.files import board_files, stale_charts
from benchbase.leaderboard.predictions import complete
from benchbase.records.committed_predictions import Answers, CommittedPredictions, Truth
from benchbase.records.labelling import label_differences
from benchbase.records.recomputing import differences, recorded_only
from benchbase.records.record import Record

LabelsOf = Callable[[Scenario, int], DrawnLabels | None]
"""Gives the labels that the data have; None where these are not here."""


@dataclass
class Verified:
    """What came of verifying records."""

    records: int = 0
    recomputed: int = 0
    """Records whose scores were computed again."""
    compared: int = 0
    """Records whose data were drawn again."""
    recorded_only: set[str] = field(default_factory=set)
    """Metrics that the predictions do not give under some rule."""
    problems: list[str] = field(default_factory=list)


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
        drawn = self._labels_of(record.spec.scenario, record.spec.seed)
        self.verified.compared += drawn is not None
        self.fail(record, label_differences(record, truth, drawn))
        if answers is None:
            return
        self.verified.recomputed += 1
        if truth is None:
            self.fail(record, ["no labels beside its predictions"])
            return
        self.verified.recorded_only |= recorded_only(record, answers, self._metrics)
        self.fail(record, differences(record, answers, truth, self._metrics))
        self.fail(record, self._copied(record, answers))

    def fail(self, record: Record, found: Iterable[str]) -> None:
        """Note the first thing that is wrong with a record."""
        first = next(iter(found), None)
        if first is not None:
            self.verified.problems.append(f"{where(record)}: {first}")

    def _copied(self, record: Record, answers: Answers) -> Iterator[str]:
        """Find one run that stands for two seeds: models of two never agree to the last bit."""
        if not answers.logits.std(axis=1).any():
            return  # one answer for all images may well be the same twice
        digest = hashlib.sha256(answers.logits.tobytes()).hexdigest()
        row = f"{record.spec.weighter.label} on {_scenario(record)}"
        other = self._known.setdefault((row, digest), record.spec.seed)
        if other != record.spec.seed:
            yield f"its predictions are those of seed {other}: a seed counts once"


def verify_board(
    folder: Path, board: Board, records: Iterable[Record], labels_of: LabelsOf
) -> Verified:
    """Verify the committed records of a board, and say which predictions are missing.

    The metrics of plugins are not computed again: they are whatever is installed where they were.
    """
    committed = CommittedPredictions(folder)
    verifier = Verifier(labels_of, board_metrics(board.metric, board.metric_options))
    records = list(records)
    wanted = {record.key for _, found in complete(board, records) for record in found}
    damaged: dict[str, None] = {}
    for record in records:
        verifier.fail(record, _other_secret(record, board))
        try:
            answers, truth = committed.answers(record), committed.truth(record)
        except StoreError as error:
            damaged[str(error)] = None
            continue
        verifier.take(record, answers, truth)
        if answers is None and record.key in wanted:
            lacking = f"its predictions are missing; `benchbase run --board {board.name}` writes "
            verifier.fail(record, [f"{lacking}them in the home where its cells ran"])
    verifier.verified.problems += damaged
    return verifier.verified


def _other_secret(record: Record, board: Board) -> Iterator[str]:
    """Say what keeps a record off a board: one board, one way to draw split and noise."""
    drawn = secret_of(record.spec.data)
    if drawn != (record.noise_secret or ""):
        yield "its key and its noise_secret name two secrets"
    if drawn != board.noise_secret:
        names = [f"the secret {it}" if it else "public seeds" for it in (drawn, board.noise_secret)]
        yield "its split and noise are of {}, those of the board of {}".format(*names)


def differing_pages(
    folder: Path, board: Board, records: Iterable[Record]
) -> tuple[int, list[Path]]:
    """Count a board's pages, and give those that are not what its records give."""
    records = list(records)
    files = board_files(board, records, Evidence.of(folder, records))
    expected: dict[Path, str | None] = {folder / name: text for name, text in files.items()}
    expected |= dict.fromkeys(stale_charts(folder, files))
    return len(expected), [path for path, text in expected.items() if text_of(path) != text]


def text_of(path: Path) -> str | None:
    """Read a page; None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def where(record: Record) -> str:
    """Name a record's place on a board."""
    return f"{record.spec.weighter.label} on {_scenario(record)}, seed {record.spec.seed}"


def _scenario(record: Record) -> str:
    return f"{record.spec.scenario.data} {scenario_text(record.spec.scenario)}"
