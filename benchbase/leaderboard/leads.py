"""A method's lead over the reference as a board reports it, and where all was drawn anew.

Whoever rebuilds the noise of a public seed, or was tuned to it, loses the lead where split and
noise are drawn with a secret; an honest method keeps it within the spread of the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchbase.boards.board import Board
from benchbase.errors import UsageError
from benchbase.judging.statistics import LEAST_BLOCKS, NO_MATTER, least_of_another
from benchbase.leaderboard.cells import in_percent
from benchbase.leaderboard.choose import Entry, choose
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.records.record import Record

RISK = 0.01
"""That any of the leads of honest methods is called smaller than reported."""


@dataclass(frozen=True)
class Lead:
    """What is reported of a method in one scenario, and the cells to train there anew."""

    where: str
    record: Record
    beside: Record
    """The reference's at the same seed."""
    reported: float
    """Mean over the seeds."""
    least: float
    """What another seed is expected to reach."""

    def verdict(self, own: float | None, other: float | None) -> tuple[bool, str]:
        """Tell whether the lead holds, and in words what came of it.

        The scores are the method's and the reference's, None where a cell came to none.
        """
        reference = self.beside.spec.weighter.label
        told = f"{in_percent(self.reported, '+.1f')} points over {reference} reported"
        if own is None or other is None:
            return False, f"{self.where}: {told}, no score where all is drawn anew"
        holds = own - other >= self.least
        found = f"{in_percent(own - other, '+.1f')} where all is drawn anew"
        least = f"expected at least {in_percent(self.least, '+.1f')}"
        return holds, f"{self.where}: {told}, {found}: {'holds' if holds else least}"


def reported_leads(board: Board, records: Sequence[Record], chosen: Sequence[Record]) -> list[Lead]:
    """Give what is reported where these records stand; those of the reference itself have none.

    The spread between seeds is pooled over the methods of a scenario.

    Raises:
        UsageError: too few seeds tell of a spread.
    """
    entries = choose(board, records)
    labels = scenario_labels(board.scenarios)
    keys = {record.key for record in chosen}
    [reference] = (entry for entry in entries if entry.reference)
    others = [entry for entry in entries if entry is not reference]
    asked = [
        (entry, place, record)
        for entry in others
        for place, record in entry.cells.items()
        if record.key in keys and place in reference.cells
    ]
    found = []
    for entry, place, record in asked:
        scenario, seed = place
        own = _leads(board, entry, reference, scenario)
        spread, degrees = _spread([_leads(board, one, reference, scenario) for one in others])
        if degrees < LEAST_BLOCKS - 1:
            raise UsageError(
                f"{entry.label} in {labels[scenario]}: {LEAST_BLOCKS} seeds are needed to tell how "
                f"far its lead differs between seeds, there are {len(own)}"
            )
        reported = float(np.mean(own))
        least = least_of_another(own, spread, degrees, RISK / len(asked))
        where = f"{entry.label} on {labels[scenario]}, seed {board.seeds[seed]}"
        least = min(least, reported - NO_MATTER)
        found.append(Lead(where, record, reference.cells[place], reported, least))
    return found


def _leads(board: Board, entry: Entry, reference: Entry, scenario: int) -> list[float]:
    """Give the paired differences of a scenario, one a seed."""
    pairs = [
        [score_of(one.cells[place], board.rule, board.metric) for one in (entry, reference)]
        for place in sorted(entry.cells)
        if place[0] == scenario and place in reference.cells
    ]
    return [own - other for own, other in pairs if own is not None and other is not None]


def _spread(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Give the deviation within groups, and its degrees of freedom."""
    known = [np.array(group) for group in groups if group]
    degrees = sum(len(group) - 1 for group in known)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in known)
    return (squares / degrees) ** 0.5 if degrees else 0.0, degrees
