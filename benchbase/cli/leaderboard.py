"""``benchbase leaderboard``: rebuild the pages of ``leaderboards/``, or print a board's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from benchbase.boards.board import LEADERBOARDS
from benchbase.cli import options
from benchbase.errors import UsageError
from benchbase.leaderboard.committed_board import CommittedBoard, verified_boards
from benchbase.leaderboard.pages.csv import render_csv, render_jsonl
from benchbase.leaderboard.pages.files import write_index, write_table
from benchbase.leaderboard.pages.markdown import render_json
from benchbase.leaderboard.pages.paper import paper_latex, paper_markdown
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.records.home import Home
from benchbase.records.last import board_records, last_run
from benchbase.records.store import Store

_FORMATS: Mapping[str, Callable[[Table], str]] = {
    "latex": paper_latex,
    "markdown": paper_markdown,
    "csv": render_csv,
    "json": render_json,
    "jsonl": render_jsonl,
}


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMATS]),
    metavar="FORMAT",
    help="latex, markdown, csv, json or jsonl: print one table.",
)
@click.option("--board", "name", metavar="NAME", help="Board [default: that of the last run].")
@options.home_of_results
def leaderboard(form: str | None, name: str | None, home: Path | None) -> None:
    """Rebuild every board's pages from its committed records; nothing is run.

    Boards that are frozen keep theirs as they are. The same records give the same bytes, so that
    `benchbase verify` can tell an edited page.

    With --format, print one board's table instead and write nothing: latex (for booktabs) and
    markdown have a line a method, csv and jsonl a line a method and scenario, json everything.
    """
    if form is not None:
        store = Store(Home.at(home))
        board, records = last_run(store) if name is None else board_records(name, store)
        click.echo(_FORMATS[form](build(board, records)), nl=False)
    elif name is not None or home is not None:
        raise UsageError("--board and --home choose what --format prints; name a --format as well")
    else:
        write_pages(verified_boards())


def write_pages(boards: Sequence[CommittedBoard]) -> None:
    """Write the pages of all boards and their index."""
    for one in boards:
        for written in write_table(one.folder, one.table):
            click.echo(written)
    click.echo(write_index(LEADERBOARDS, {one.folder.name: one.table for one in boards}))
