"""What was learned of a data set's methods, as values: a table for each way of asking."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchbase.boards.board import LEAST_SEEDS, Board
from benchbase.boards.request import Request
from benchbase.cell import Scenario
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.table import Table
from benchbase.records.record import Record
from benchbase.suspects.noise import Noise


@dataclass(frozen=True)
class Advice:
    """Tables and what stands beside them."""

    given: Table | None
    """On the labels as given; None where no method could be compared with the reference."""
    injected: Table | None
    """On injected noise, judged by labels that are right there."""
    reference: str
    classes: tuple[str, ...]
    verified_tests: int | None
    """Verified test images, which alone judge; None where test labels are as given."""
    noise: Noise | None = None
    """What the labels suggest of their noise; None where there was no time to see."""
    right: Estimate | None = None
    """What right labels everywhere would bring the reference over injected noise, paired."""
    train_images: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What did not fit the time -> why."""

    @property
    def deciding(self) -> Table | None:
        """The table that decides: the user's own where verified labels judge, else the injected."""
        if self.verified_tests is not None and self.given is not None:
            return self.given
        return self.injected or self.given


def cut_to(board: Board, scenario: Scenario, records: Iterable[Record]) -> Board | None:
    """Give the board of one scenario with whoever ran it at the least seeds, and their seeds.

    None where nobody can be compared with the reference.
    """
    seeds: dict[str, set[int]] = {}
    for record in records:
        if record.spec.scenario == scenario:
            seeds.setdefault(record.spec.weighter.label, set()).add(record.spec.seed)
    least = set(board.seeds[:LEAST_SEEDS])
    if not least <= seeds.get(board.reference.label, set()):
        return None
    tried = [it for it in board.weighters if least <= seeds.get(it.label, set())]
    if not {each.label for each in tried} - {board.reference.label}:
        return None
    common = set.intersection(*(seeds[each.label] for each in (board.reference, *tried)))
    return dataclasses.replace(
        board,
        scenarios=(scenario,),
        seeds=tuple(seed for seed in board.seeds if seed in common),
        weighters=tuple(tried),
    )


def named(request: Request, board: Board, what: str) -> tuple[Request, Board]:
    """Call a board by what it shows, so that its table has a place of its own."""
    board = dataclasses.replace(
        board,
        name=f"{board.name}-advice-{what.replace(' ', '-')}",
        title=f"{board.title} ({what})",
    )
    return dataclasses.replace(request, board=board, written=board, folder=None), board


def paired(
    board: Board, records: Iterable[Record], better: Scenario, worse: Scenario
) -> list[float]:
    """Give the reference's differences between two scenarios, seed by seed."""
    scores: dict[tuple[bool, int], float] = {}
    for record in records:
        scenario, score = record.spec.scenario, score_of(record, board.rule, board.metric)
        is_reference = record.spec.weighter.label == board.reference.label
        if is_reference and scenario in (better, worse) and score is not None:
            scores[scenario == better, record.spec.seed] = score
    shared = sorted(seed for first, seed in scores if first and (False, seed) in scores)
    return [scores[True, seed] - scores[False, seed] for seed in shared]
