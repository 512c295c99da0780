"""How much of what there was to win a method won.

The headroom of a scenario is what a ceiling (perfect weights, or true labels) scores above the
reference. Methods are measured against it, paired by seed; nothing is won where there is nothing
to win.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchbase.boards.board import CEILINGS, Board
from benchbase.judging.statistics import Estimate, estimate, ratio
from benchbase.leaderboard.choose import Entry

Scores = NDArray[np.float64]
BY_CONSTRUCTION = "no headroom by construction"
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Share:
    """A method's gain over the reference as a share of the ceiling's, or why it has none."""

    value: Estimate | None
    """1 is all of the headroom."""
    reason: str = ""


@dataclass(frozen=True)
class Headroom:
    """Shares of one method."""

    ceiling: str
    """Label of the row that it is measured against."""
    overall: Share
    """Of the sums over the scenarios that have headroom."""
    scenarios: tuple[Share, ...]


def headrooms(
    board: Board, entries: Sequence[Entry], cells: Mapping[str, Scores]
) -> dict[str, Headroom]:
    """Measure each row against the ceiling for what it is given; ``cells`` are by label.

    A method that has right labels, checked or bought, may pass perfect weights.
    """
    [reference] = (entry.label for entry in entries if entry.reference)
    ceilings = {entry.yardstick: entry.label for entry in entries if entry.yardstick in CEILINGS}
    without = {i for i, scenario in enumerate(board.scenarios) if scenario.noise == "none"}
    measured = {}
    for entry in entries:
        granted = {need for record in entry.cells.values() for need in record.grants}
        ceiling = ceilings.get("labels" if granted & {"trusted", "oracle"} else "weights")
        if ceiling is not None and not entry.reference and entry.yardstick not in CEILINGS:
            own, other, limit = (cells[label] for label in (entry.label, reference, ceiling))
            measured[entry.label] = headroom(own, other, limit, ceiling, without)
    return measured


def headroom(
    method: Scores, reference: Scores, ceiling: Scores, label: str, without: Collection[int]
) -> Headroom:
    """Measure a method; all scores have the shape (scenarios, seeds), NaN where a cell is missing.

    Args:
        method: of the row that is measured.
        reference: of the row that it is compared with.
        ceiling: of the row that shows what there is to win.
        label: the ceiling's.
        without: scenarios without headroom by construction: no label is wrong there.
    """
    gains, limits = method - reference, ceiling - reference
    telling = [
        index
        for index, limit in enumerate(limits)
        if index not in without and _is_positive(estimate(limit[~np.isnan(limit)]))
    ]
    shares = tuple(
        Share(None, BY_CONSTRUCTION)
        if index in without
        else _share(gains[[index]], limits[[index]])
        if index in telling
        else Share(None, CANNOT_TELL)
        for index in range(len(gains))
    )
    overall = _share(gains[telling], limits[telling]) if telling else Share(None, CANNOT_TELL)
    return Headroom(label, overall, shares)


def _is_positive(limit: Estimate | None) -> bool:
    return limit is not None and limit.low is not None and limit.low > 0


def _share(gains: Scores, limits: Scores) -> Share:
    """Divide the sums over scenarios, at the seeds where none is missing."""
    gained, limit = gains.sum(axis=0), limits.sum(axis=0)
    complete = ~np.isnan(gained + limit)
    value = ratio(gained[complete], limit[complete])
    return Share(value, "" if value is not None else CANNOT_TELL)
