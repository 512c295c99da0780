"""The labels of a board's cells, drawn from the data sets that are on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from benchbase.boards.board import Board, Suite
from benchbase.boards.conditions import scenario_text
from benchbase.boards.plan import Condition, conditions
from benchbase.cell import Scenario, canonical_json
from benchbase.data.labels import DrawnLabels
from benchbase.data.secret import Secret
from benchbase.errors import PluginError, UsageError
from benchbase.plugins import Catalogue


class LabelsHere:
    """Draws labels once for each scenario and seed; remembers of which data there are none."""

    def __init__(self, places: Iterable[Condition] = ()) -> None:
        self._places = {_place(one.scenario, one.seed): one for one in places}
        self._drawn: dict[str, DrawnLabels | None] = {}
        self.missing: dict[str, str] = {}
        """Data set, or one scenario of it -> why its labels cannot be drawn."""

    @classmethod
    def unknown(cls, name: str, reason: str) -> LabelsHere:
        """Give no labels at all, and say why."""
        nothing = cls()
        nothing.missing[name] = reason
        return nothing

    @classmethod
    def of_board(
        cls,
        board: Board | Suite,
        folder: Path,
        catalogue: Catalogue,
        roots: Sequence[Path],
        cache: Path,
        *,
        secret: Secret | None = None,
    ) -> LabelsHere:
        """Find each scenario's data set, noise and imbalance; of one that lacks any, say so."""
        places: list[Condition] = []
        missing: dict[str, str] = {}
        for scenario in board.scenarios:
            try:
                places += conditions(
                    dataclasses.replace(board, scenarios=(scenario,)),
                    catalogue,
                    roots,
                    cache,
                    beside=folder,
                    data_beside=folder,
                    secret=secret,
                )
            except (UsageError, PluginError) as error:
                missing[f"{scenario.data} {scenario_text(scenario)}"] = str(error)
        here = cls(places)
        here.missing |= missing
        return here

    def of(self, scenario: Scenario, seed: int) -> DrawnLabels | None:
        """Give the labels of a scenario at a seed; None where the data are not here."""
        place = _place(scenario, seed)
        if place not in self._drawn:
            self._drawn[place] = self._draw(self._places.get(place))
        return self._drawn[place]

    def _draw(self, condition: Condition | None) -> DrawnLabels | None:
        if condition is None:
            return None
        try:
            return condition.draw_labels()
        except (UsageError, PluginError) as error:
            self.missing[condition.scenario.data] = str(error)
            return None


def _place(scenario: Scenario, seed: int) -> str:
    return canonical_json([msgspec.to_builtins(scenario), seed])
