"""A leaderboard in Python: its table, and a row for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbase.boards.board import Board
from benchbase.errors import UsageError
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.records.home import Home
from benchbase.records.last import board_records, last_run
from benchbase.records.record import Record
from benchbase.records.store import Store


@dataclass(frozen=True)
class Results:
    """What a board came to."""

    board: Board
    records: Sequence[Record]
    table: Table
    written: Sequence[Path] = ()
    """The files that were written."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row for each method, scenario and seed that has a record; scores from 0 to 1."""
        labels = scenario_labels(self.board.scenarios)
        return [
            {
                "method": entry.label,
                "dataset": record.spec.scenario.data,
                "scenario": labels[place[0]],
                "seed": record.spec.seed,
                "status": record.status,
                "reason": record.reason,
                **{
                    name: score.value
                    for name, score in record.metrics.get(self.board.rule, {}).items()
                },
                "seconds_train": record.cost.seconds_train,
                "key": record.key,
            }
            for entry in choose(self.board, self.records)
            for place, record in entry.cells.items()
        ]

    def to_pandas(self) -> Any:
        """Give the rows as a data frame.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            raise UsageError("to_pandas() needs pandas: pip install pandas") from None
        return pd.DataFrame(self.rows)


def load_results(board: str | None = None, home: str | Path | None = None) -> Results:
    """Read what was run: the last run of a home, or all that there is of a board.

    Raises:
        UsageError: nothing was run yet, or there is no such board.
    """
    store = Store(Home.at(None if home is None else Path(home)))
    found, records = last_run(store) if board is None else board_records(board, store)
    return Results(found, records, build(found, records))
