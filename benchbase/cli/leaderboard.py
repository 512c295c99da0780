"""``benchbase leaderboard``: rebuild the pages of ``leaderboards/`` from committed records."""

from __future__ import annotations

import click

from benchbase.boards.board import LEADERBOARDS, boards_with_results
from benchbase.leaderboard.pages.files import verified_table, write_index, write_table
from benchbase.leaderboard.table import Table
from benchbase.records.committed import Committed


@click.command()
def leaderboard() -> None:
    """Rebuild every board's pages from its committed records; nothing is run.

    Boards that are frozen keep theirs as they are. The same records give the same bytes, so that
    `benchbase verify` can tell an edited page.
    """
    made: dict[str, Table] = {}
    for folder, board in boards_with_results():
        made[folder.name] = verified_table(folder, board, Committed(folder).records())
        for written in write_table(folder, made[folder.name]):
            click.echo(written)
    click.echo(write_index(LEADERBOARDS, made))
