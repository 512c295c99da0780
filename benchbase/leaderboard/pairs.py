"""Every ranked method against every other one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchbase.boards.board import Board
from benchbase.judging.separation import surely_ahead
from benchbase.judging.statistics import Estimate, estimate
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import compare, data_sets
from benchbase.leaderboard.setting import not_identifiable
from benchbase.leaderboard.table import PROVISIONAL, RANKED
from benchbase.leaderboard.versions import of_one_version
from benchbase.records.record import Record


@dataclass(frozen=True)
class Pair:
    """One ranked method against another."""

    method: str
    other: str
    difference: Estimate
    """Of the method to the other one, paired over seeds or data sets."""
    told_apart: bool
    """At 95 % for the whole table (Tukey), as the ranks are."""


def pairs(board: Board, records: Iterable[Record]) -> list[Pair]:
    """Compare the ranked methods that never failed; none where there is no rank."""
    entries = of_one_version(board, choose(board, records))
    groups = data_sets(board, not_identifiable(board, entries))
    compared = {
        label: one
        for label, one in compare(board, entries, groups).items()
        if one.standing in (RANKED, PROVISIONAL) and not one.failures
    }
    if len(compared) < 2:
        return []
    labels = [*compared]
    blocks = np.stack([one.blocks for one in compared.values()])
    ahead = surely_ahead(blocks)
    found = []
    for a, method in enumerate(labels):
        for b, other in enumerate(labels):
            difference = estimate(blocks[a] - blocks[b])
            if a != b and difference is not None:
                found.append(Pair(method, other, difference, bool(ahead[a, b] or ahead[b, a])))
    return found
