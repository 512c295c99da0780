"""Which scores a run computes beside benchbase's own."""

from __future__ import annotations

from collections import Counter

from benchbase.boards.board import Board
from benchbase.errors import PluginError
from benchbase.judging.clinical import board_metrics
from benchbase.judging.extra import Extra
from benchbase.judging.scales import SCALES
from benchbase.options import construct
from benchbase.plugins import Catalogue


def load_metrics(board: Board, catalogue: Catalogue) -> tuple[Extra, ...]:
    """Give every extra score: those that the board sets up, and those that are installed.

    Raises:
        PluginError: two distributions bring one name, one has a name that benchbase's own scores
            have, or one does not load.
    """
    from benchbase.judging.extra import Extra

    entries = catalogue.of("metrics")
    for name, count in Counter(entry.name for entry in entries).items():
        if count > 1:
            raise PluginError(
                f"two distributions bring a metric called {name!r}: leave one out with "
                "BENCHBASE_PLUGINS"
            )
        if name in SCALES:
            raise PluginError(
                f"a plugin brings a metric called {name!r}, which is one of benchbase's own: "
                "rename it"
            )
    installed = [Extra.of(construct(entry.load(), {}), entry.source_hash) for entry in entries]
    return (*board_metrics(board.metric, board.metric_options), *installed)
