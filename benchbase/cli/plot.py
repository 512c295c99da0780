"""``benchbase plot``: one figure of a board as a file."""

from __future__ import annotations

from pathlib import Path

import click

from benchbase.cli import options
from benchbase.errors import UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.pairs import pairs
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.site.drawing import Shown
from benchbase.leaderboard.site.figures import KINDS, figure, picture
from benchbase.records.home import Home
from benchbase.records.last import board_records, last_run
from benchbase.records.store import Store


@click.command()
@click.argument("kind", type=click.Choice([*KINDS]), metavar="KIND")
@click.option("--board", "name", metavar="NAME", help="Board [default: that of the last run].")
@click.option(
    "--out",
    required=True,
    metavar="FILE.svg|pdf|png",
    type=options.UserPath(dir_okay=False),
    help="File to write.",
)
@options.home_of_results
def plot(kind: str, name: str | None, out: Path, home: Path | None) -> None:
    """Write one figure of a board, as its page shows it.

    KIND is differences, heat, gains, degradation, headroom, pairs, cost, weights, recalls or
    labels.
    """
    store = Store(Home.at(home))
    board, records = last_run(store) if name is None else board_records(name, store)
    table = build(board, records)
    drawn = figure(kind, Shown(table, records, pairs(board, records)))
    if drawn is None:
        raise UsageError(f"the records of {board.name!r} tell nothing for the figure {kind!r}")
    replace_file(out, picture(drawn, out.suffix))
    click.echo(out)
