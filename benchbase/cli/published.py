"""``benchbase published``: a board's scores beside those that others published."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchbase.cli import options
from benchbase.cli.printing import print_columns
from benchbase.leaderboard.cells import NOTHING
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.published import Comparison, comparisons, read_published
from benchbase.records.home import Home
from benchbase.records.last import board_records
from benchbase.records.store import Store

EPILOG = """\b
Examples:
  benchbase published nuclei     what others report of the methods of this board
"""


@click.command(epilog=EPILOG)
@click.argument("board_name", metavar="BOARD")
@options.home_of_results
def published(board_name: str, home: Path | None) -> None:
    """Compare a board's scores with published ones, where they may be compared.

    They may where data, noise, imbalance, network, epochs and the rule that chooses the epoch are
    the same. Else the reasons are named.
    """
    board, records = board_records(board_name, Store(Home.at(home)))
    found = [*comparisons(board, choose(board, records), read_published())]
    if not found:
        click.echo("Nothing published is known of this board's methods.")
        return
    header = ["method", "published %", "here %", "verdict", "where"]
    print_columns("Published results", header, [_line(one) for one in found], Console())


def _line(one: Comparison) -> list[str]:
    spread = "" if one.row.spread is None else f" ± {one.row.spread:g}"
    return [
        one.row.method,
        f"{one.row.value:.2f}{spread}",
        NOTHING if one.own is None else f"{one.own.mean:.2f}",
        one.verdict,
        f"{one.source.name} ({one.source.where})",
    ]
