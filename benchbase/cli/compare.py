"""``benchbase compare``: two methods against each other, in words with the numbers."""

from __future__ import annotations

from pathlib import Path

import click

from benchbase.boards.board import LEADERBOARDS, load_board
from benchbase.cli import options
from benchbase.leaderboard.duels import duel, in_words, labels_of
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.last import board_records, last_run
from benchbase.records.store import Store

EPILOG = """\b
Examples:
  benchbase compare MINE OTHER --board nuclei   on one board
  benchbase compare MINE OTHER                  on every leaderboard that has both
"""


@click.command(epilog=EPILOG)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--board", "name", metavar="NAME", help="This board alone, with what the home has.")
@options.home_of_results
def compare(first: str, second: str, name: str | None, home: Path | None) -> None:
    """Compare the methods A and B, named as the table names its rows.

    Differences are paired: the same data, the same wrong labels, the same seeds. Over several data
    sets each one is a block, since scenarios of one data set are not independent. Without --board
    and where no leaderboard has both, the last run is looked at.
    """
    store = Store(Home.at(home))
    if name is not None:
        boards = [board_records(name, store)]
    else:
        folders = [path.parent for path in sorted(LEADERBOARDS.glob("*/board.toml"))]
        loaded = [(load_board(str(folder.resolve())), folder) for folder in folders]
        found = [
            (board, Committed(folder).records()) for board, folder in loaded if not board.frozen
        ]
        boards = [one for one in found if {first, second} <= {*labels_of(*one)}]
        boards = boards or [last_run(store)]
    duels = [duel(board, records, first, second) for board, records in boards]
    for line in in_words(duels, first, second):
        click.echo(line)
