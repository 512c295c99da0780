"""What a correction of labels brought: each method with and without it, paired by seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from benchbase.boards.board import Board
from benchbase.cell import CORRECTED, Scenario
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.choose import Entry
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.pages.captions import noise_labels
from benchbase.leaderboard.words import listed, points
from benchbase.records.record import Record


def correction_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Write sentences about each correction that stands beside the labels as they were."""
    found: list[str] = []
    for index, scenario in enumerate(board.scenarios):
        before = as_it_was(scenario)
        if before != scenario and before in board.scenarios:
            found += _texts(board, entries, board.scenarios.index(before), index)
    return tuple(found)


def as_it_was(scenario: Scenario) -> Scenario:
    """Give the scenario without its correction."""
    options = {name: it for name, it in scenario.dataset_options.items() if name != CORRECTED}
    return dataclasses.replace(scenario, dataset_options=options)


def _texts(board: Board, entries: Sequence[Entry], before: int, after: int) -> Iterator[str]:
    scenario = board.scenarios[after]
    name = PurePath(scenario.dataset_options[CORRECTED]).name
    [noise] = noise_labels([board.scenarios[before]])
    judged: Record | None = None
    told: dict[str, list[str]] = {"better": [], "worse": [], "tied": []}
    seeds = 0
    for entry in entries:
        differences = []
        for seed in range(len(board.seeds)):
            pair = [entry.cells.get((place, seed)) for place in (after, before)]
            new, old = (
                None if it is None else score_of(it, board.rule, board.metric) for it in pair
            )
            if new is not None and old is not None:
                differences.append(new - old)
                judged = pair[0]
        found = estimate(differences)
        if found is not None:
            seeds = max(seeds, found.blocks)
            gap = f"{100 * found.mean:+.1f} points" if found.verdict == "tied" else points(found)
            told[found.verdict].append(f"{entry.label} ({gap})")
    if judged is None:
        return
    better = f"raised {listed(told['better'])}" if told["better"] else ""
    worse = f"lowered {listed(told['worse'])}" if told["worse"] else ""
    tied = f"no evidence of a difference for {listed(told['tied'])}" if told["tied"] else ""
    said = "; ".join(filter(None, (better, worse, tied)))
    yield f"The correction of {name} (against {noise}, {seeds} seeds, paired): {said}."
    yield _judge_text(scenario, judged)


def _judge_text(scenario: Scenario, record: Record) -> str:
    if scenario.noise == "real":
        return "It is judged by the labels that count as true."
    if record.corruption is not None and record.corruption.test_verified:
        return "It is judged by test labels that somebody verified."
    return (
        "It is judged by test labels as given, which nobody verified and no correction touches: "
        "where they are wrong in the same way, they count against it; --trusted names others."
    )
