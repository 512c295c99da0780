"""Scores, paired differences and ranks of the chosen records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from benchbase.boards.board import LEAST_SEEDS, Board
from benchbase.judging.separation import rank_ranges, surely_ahead
from benchbase.judging.statistics import (
    Estimate,
    estimate,
    holm,
    sign_flip_p,
)
from benchbase.leaderboard.cells import metric_name
from benchbase.leaderboard.choose import Entry, Place
from benchbase.leaderboard.headroom import Headroom, Scores, headrooms
from benchbase.leaderboard.scenario_differences import scenario_differences
from benchbase.leaderboard.table import CONTROL, FIRM_SEEDS, PROVISIONAL, RANKED, SEES_TRUTH
from benchbase.records.record import Record, Score

_NONE: Mapping[str, Score] = MappingProxyType({})


def score_of(record: Record, rule: str, metric: str) -> float | None:
    """Give one score of a record; None where it failed or the metric is undefined."""
    return scores_of([record], rule, metric)[0]


def scores_of(records: Iterable[Record], rule: str, metric: str) -> list[float | None]:
    """Give one score of each record; None where it failed or the metric is undefined."""
    return [
        score.value
        if record.status == "ok"
        and (score := record.metrics.get(rule, _NONE).get(metric)) is not None
        and isinstance(score.value, float)
        else None
        for record in records
    ]


@dataclass(frozen=True)
class Compared:
    """How one entry stands against the others."""

    cells: Scores
    """Shape (scenarios, seeds): 0 where a cell failed, NaN where none was run or has a score."""
    blocks: Scores
    """What comparisons are over: values of seeds or of data sets, NaN where a score is missing."""
    score: Estimate | None
    standing: str
    ranks: tuple[int, int] | None
    difference: Estimate | None
    p: float | None
    failures: dict[str, int]
    """Status -> cells."""
    seeds: frozenset[int]
    """Positions of the seeds that the score is of: every scenario that counts has one there."""
    last_epoch: float | None
    """The score under the rule ``last``, over the same cells."""
    headroom: Headroom | None
    by_scenario: Mapping[int, Estimate]
    """Differences to the reference, as ``scenario_differences`` gives them."""


def data_sets(board: Board, left_out: frozenset[int]) -> list[list[int]]:
    """Group the scenarios that count by data set."""
    groups: dict[str, list[int]] = {}
    for index, scenario in enumerate(board.scenarios):
        if index not in left_out:
            groups.setdefault(scenario.data, []).append(index)
    return list(groups.values())


def compare(board: Board, entries: Sequence[Entry], groups: list[list[int]]) -> dict[str, Compared]:
    """Compare the entries over the scenarios in ``groups``, each group one data set.

    Differences are paired: over seeds, or over data sets where there are several (cells of one
    data set are not independent, so they are averaged first).
    """
    undefined = _undefined(board, entries)
    cells = {entry.label: _cells(entry, board, board.rule, undefined) for entry in entries}
    by_seed = {label: _by_seed(values, groups) for label, values in cells.items()}
    blocks = {label: _blocks(values, groups) for label, values in cells.items()}
    counted = {index for group in groups for index in group}
    standing = {
        entry.label: _standing(entry, board, counted, cells[entry.label]) for entry in entries
    }
    ranked = [label for label, text in standing.items() if text in (RANKED, PROVISIONAL)]
    paired = _paired(entries, cells, groups)
    p_of = _p_values({label: paired[label] for label in ranked if len(paired.get(label, ()))})
    failed = {entry.label: _failures(entry, counted) for entry in entries}
    ahead = _ahead([blocks[label] for label in ranked], [failed[label] for label in ranked])
    rank_of = dict(zip(ranked, rank_ranges(ahead), strict=True))
    last = {
        entry.label: estimate(_complete(_by_seed(_cells(entry, board, "last", undefined), groups)))
        for entry in entries
    }
    measured = headrooms(board, entries, cells)
    [reference] = (entry.label for entry in entries if entry.reference)
    sound = {label: cells[label] for label in ranked if not failed[label]}
    parted = scenario_differences(sound, reference, counted)
    everywhere = range(len(board.scenarios))
    failures = {entry.label: _failures(entry, everywhere) for entry in entries}
    return {
        label: Compared(
            cells=cells[label],
            blocks=blocks[label],
            score=estimate(_complete(by_seed[label])),
            standing=standing[label],
            ranks=rank_of.get(label),
            difference=estimate(paired[label]) if label in paired else None,
            failures=failures[label],
            seeds=frozenset(np.flatnonzero(~np.isnan(by_seed[label])).tolist()),
            last_epoch=one.mean if (one := last[label]) is not None else None,
            p=p_of.get(label),
            headroom=measured.get(label),
            by_scenario=parted.get(label, {}),
        )
        for label in cells
    }


def _undefined(board: Board, entries: Sequence[Entry]) -> set[Place]:
    """Give the places of failures where nobody who finished has a score: none was to be reached."""
    failed = {
        place for entry in entries for place, record in entry.cells.items() if record.status != "ok"
    }
    finished = {
        place: [
            record
            for entry in entries
            if (record := entry.cells.get(place)) is not None and record.status == "ok"
        ]
        for place in failed
    }
    return {
        place
        for place, records in finished.items()
        if records and {*scores_of(records, board.rule, board.metric)} == {None}
    }


def _cells(entry: Entry, board: Board, rule: str, undefined: Collection[Place]) -> Scores:
    """Give the scores; who failed scores 0 wherever the score exists."""
    cells = np.full((len(board.scenarios), len(board.seeds)), np.nan)
    scores = scores_of(entry.cells.values(), rule, board.metric)
    for (place, record), score in zip(entry.cells.items(), scores, strict=True):
        if score is not None:
            cells[place] = score
        elif record.status != "ok" and place not in undefined:
            cells[place] = 0.0
    return cells


def _by_seed(cells: Scores, groups: list[list[int]]) -> Scores:
    """Mean over scenarios, then over data sets, for each seed; NaN where a score is missing."""
    if not groups:
        return np.full(cells.shape[1], np.nan)
    return np.asarray(np.stack([cells[group].mean(axis=0) for group in groups]).mean(axis=0))


def _by_data_set(cells: Scores, groups: list[list[int]]) -> Scores:
    """Mean over scenarios and seeds for each data set; NaN where a score is missing."""
    return np.array([cells[group].mean() for group in groups])


def _complete(values: Scores) -> Scores:
    return values[~np.isnan(values)]


def _blocks(cells: Scores, groups: list[list[int]]) -> Scores:
    """Give the values that comparisons take for independent: of data sets, or of one's seeds."""
    return _by_data_set(cells, groups) if len(groups) > 1 else _by_seed(cells, groups)


def _paired(
    entries: Sequence[Entry], cells: Mapping[str, Scores], groups: list[list[int]]
) -> dict[str, Scores]:
    """Give each entry's differences to the reference, at the seeds planned for the entry."""
    [reference] = (cells[entry.label] for entry in entries if entry.reference)
    differences = {}
    for entry in entries:
        if not entry.reference:
            seeds = len(entry.seeds)
            own, other = cells[entry.label][:, :seeds], reference[:, :seeds]
            differences[entry.label] = _complete(_blocks(own, groups) - _blocks(other, groups))
    return differences


def _failures(entry: Entry, scenarios: Collection[int]) -> dict[str, int]:
    counts = Counter(
        record.status
        for place, record in entry.cells.items()
        if place[0] in scenarios and record.status != "ok"
    )
    return dict(sorted(counts.items()))


def _ahead(blocks: Sequence[Scores], failures: Sequence[Mapping[str, int]]) -> NDArray[np.bool_]:
    """Tell which method is ahead of which: by the scores, or by failing less.

    A failure is a defect, not chance: its zero must neither widen the spread of the methods that
    do not fail, nor keep one that does level with them. Whoever fails less and has the higher mean
    is ahead.
    """
    if not blocks:
        return np.zeros((0, 0), dtype=np.bool_)
    scores = np.stack(blocks)
    failed = np.array([sum(counts.values()) for counts in failures])
    means = scores.mean(axis=1)
    ahead: NDArray[np.bool_] = (failed[:, None] < failed[None, :]) & (
        means[:, None] > means[None, :]
    )
    [sound] = np.nonzero(failed == 0)
    ahead[np.ix_(sound, sound)] = surely_ahead(scores[sound])
    return ahead


def _p_values(differences: Mapping[str, Scores]) -> dict[str, float]:
    adjusted = holm([sign_flip_p(values) for values in differences.values()])
    return dict(zip(differences, adjusted, strict=True))


def _standing(entry: Entry, board: Board, counted: Collection[int], cells: Scores) -> str:
    """Say ``ranked``, ``provisional``, ``control``, or why the entry gets no rank."""
    if entry.control:
        return CONTROL
    planned = len(board.scenarios) * len(board.seeds)
    seeds = len(board.seeds)
    missing = np.isnan(cells)
    without = [at for at in entry.cells if missing[at] and at[0] in counted]
    broken = _broken_rule(entry)
    problems = {
        "not run": not entry.cells,
        "run in one process (--executor inline)": not entry.trusted,
        SEES_TRUTH: any("truth" in r.grants for r in entry.cells.values()),
        "no scenario that can be ranked": not counted,
        str(broken): broken is not None,
        _why_undefined(entry, board, without): bool(without),
        f"{len(entry.cells)} of {planned} cells were run": len(entry.cells) < planned,
        f"{seeds} seed{'s' * (seeds != 1)}; {LEAST_SEEDS} are needed": seeds < LEAST_SEEDS,
    }
    return next(
        (problem for problem, applies in problems.items() if applies),
        RANKED if seeds >= FIRM_SEEDS else PROVISIONAL,
    )


def _broken_rule(entry: Entry) -> str | None:
    """Give the first reason that a record itself gives against a rank."""
    blocks = (record.training for record in entry.cells.values())
    return next((one.unranked for one in blocks if one is not None and one.unranked), None)


def _why_undefined(entry: Entry, board: Board, without: Sequence[Place]) -> str:
    """Say in how many cells the score does not exist, and why in the first that tells."""
    scores = (entry.cells[at].metrics.get(board.rule, {}).get(board.metric) for at in without)
    reason = next((score.reason for score in scores if score is not None and score.reason), "")
    count = f"{len(without)} of {len(entry.cells)} cells"
    text = f"{metric_name(board.metric)} is undefined in {count}"
    return f"{text}: {reason}" if reason else text
