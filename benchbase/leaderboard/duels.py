"""Two methods against each other: on one board, and over the data sets of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchbase.boards.board import Board
from benchbase.errors import UsageError
from benchbase.judging.statistics import (
    Estimate,
    estimate,
    holm,
    sign_flip_p,
    smallest_sign_flip_p,
)
from benchbase.leaderboard.cells import in_percent
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import compare, data_sets
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.leaderboard.setting import not_identifiable
from benchbase.leaderboard.table import PROVISIONAL, RANKED
from benchbase.leaderboard.versions import of_one_version
from benchbase.options import unknown
from benchbase.records.record import Record

ALPHA = 0.05


@dataclass(frozen=True)
class Duel:
    """What one board says of two methods; differences are of the first to the second."""

    board: str
    seeds: Estimate
    """Over the seeds at which both ran every scenario that counts: these tasks only."""
    p: float
    """Of an exact sign-flip test over these seeds, two-sided."""
    scenarios: tuple[tuple[str, Estimate], ...]
    data_sets: tuple[tuple[str, float], ...]
    """Mean difference on each data set."""
    failed: int
    """Cells of the two that failed; each scores 0."""
    unranked: tuple[tuple[str, str], ...]
    """Which of the two has no rank on the board, and why."""


def labels_of(board: Board, records: Iterable[Record]) -> list[str]:
    """Name the methods that have records on a board."""
    return [entry.label for entry in choose(board, records) if entry.cells]


def duel(board: Board, records: Sequence[Record], first: str, second: str) -> Duel:
    """Compare two rows of a board, paired by seed.

    Raises:
        UsageError: one of them is no row with records, or they share no seed.
    """
    entries = of_one_version(board, choose(board, records))
    known = [entry.label for entry in entries if entry.cells]
    for label in (first, second):
        if label not in known:
            raise UsageError(f"board {board.name!r}: {unknown('method', label, known)}")
    groups = data_sets(board, not_identifiable(board, entries))
    compared = compare(board, entries, groups)
    difference = compared[first].cells - compared[second].cells
    means = [difference[group].mean(axis=0) for group in groups]
    seeds = np.mean(means, axis=0) if means else np.array([np.nan])
    shared = ~np.isnan(seeds)
    found = estimate(seeds[shared])
    if found is None:
        raise UsageError(
            f"board {board.name!r}: {first} and {second} share no seed at which both ran every "
            "scenario"
        )
    labels = scenario_labels(board.scenarios)
    told = [
        (label, estimate(row[~np.isnan(row)]))
        for label, row in zip(labels, difference, strict=True)
    ]
    return Duel(
        board=board.name,
        seeds=found,
        p=sign_flip_p(seeds[shared]),
        scenarios=tuple((label, one) for label, one in told if one is not None),
        data_sets=tuple(
            (board.scenarios[group[0]].data, float(mean[shared].mean()))
            for group, mean in zip(groups, means, strict=True)
        ),
        failed=sum(sum(compared[label].failures.values()) for label in (first, second)),
        unranked=tuple(
            (label, compared[label].standing)
            for label in (first, second)
            if compared[label].standing not in (RANKED, PROVISIONAL)
        ),
    )


def in_words(duels: Sequence[Duel], first: str, second: str) -> Iterator[str]:
    """Say what came of it, board by board, and then over all data sets."""
    adjusted = holm([one.p for one in duels])
    for one, p in zip(duels, adjusted, strict=True):
        blocks = one.seeds.blocks
        sentence = (
            f"{one.board}: {_verdict(one.seeds, first, second)}; {blocks} seeds, these tasks only"
        )
        yield f"{sentence}; {_test(p, smallest_sign_flip_p(blocks), len(duels))}."
        for label, reason in one.unranked:
            yield f"  {label} has no rank there: {reason}."
        for label, scenario in one.scenarios:
            yield f"  {label}: {_points(scenario)}"
        if one.failed:
            yield f"  {one.failed} of their cells failed and score 0."
    means: dict[str, list[float]] = {}
    for one in duels:
        for name, mean in one.data_sets:
            means.setdefault(name, []).append(mean)
    if len(means) < 2:
        return
    values = [float(np.mean(each)) for each in means.values()]
    over = estimate(values)
    assert over is not None
    test = _test(sign_flip_p(values), smallest_sign_flip_p(len(values)), 1)
    yield f"Over {len(values)} data sets: {_verdict(over, first, second)}; {test}."


def _verdict(difference: Estimate, first: str, second: str) -> str:
    if difference.low is None:
        return f"{first} against {second} {_points(difference)} (too few for an interval)"
    words = {"better": "is better than", "worse": "is worse than", "tied": "is not told apart from"}
    return f"{first} {words[difference.verdict]} {second}, {_points(difference)}"


def _points(difference: Estimate) -> str:
    text = f"{in_percent(difference.mean, '+.1f')} points"
    if difference.low is None or difference.high is None:
        return text
    low, high = (in_percent(end, "+.1f") for end in (difference.low, difference.high))
    return f"{text} (95 %: {low} to {high})"


def _test(p: float, smallest: float, family: int) -> str:
    """Tell the p of the sign-flip test, or that there is too little for it to say anything."""
    if smallest >= ALPHA:
        return f"too few for a sign-flip test: the smallest p that it can give is {smallest:.3f}"
    adjusted = f", Holm-adjusted over {family} boards" if family > 1 else ""
    return f"sign-flip p = {p:.3f}{adjusted} (the smallest possible is {smallest:.3f})"
