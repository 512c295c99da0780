"""Training curves of the chosen records, averaged over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from benchbase.boards.board import Board
from benchbase.cell import JSON
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.records.record import Record

Curve = tuple[float | None, ...]


@dataclass(frozen=True)
class Curves:
    """One method in one scenario: curve name -> one value a checkpoint, the mean over seeds."""

    scenario: str
    method: str
    curves: Mapping[str, Curve]

    def to_json(self) -> JSON:
        """Give the JSON object."""
        return {
            "scenario": self.scenario,
            "method": self.method,
            "curves": {name: list(curve) for name, curve in self.curves.items()},
        }


def mean_curves(board: Board, records: Iterable[Record]) -> list[Curves]:
    """Average the curves of the cells that finished well, scenario by scenario."""
    found = []
    entries = choose(board, records)
    for index, scenario in enumerate(scenario_labels(board.scenarios)):
        for entry in entries:
            records = entry.by_scenario.get(index, ())
            cells = [record.curves for record in records if record.status == "ok"]
            names = sorted({name for curves in cells for name in curves})
            means = {name: _mean([curves.get(name, []) for curves in cells]) for name in names}
            if means:
                found.append(Curves(scenario, entry.label, means))
    return found


def _mean(curves: Sequence[Sequence[float | None]]) -> Curve:
    means = []
    for values in zip_longest(*curves):
        present = [value for value in values if value is not None]
        means.append(sum(present) / len(present) if present else None)
    return tuple(means)
