"""``benchbase leaderboard``: rebuild the pages of ``leaderboards/`` from committed records."""

from __future__ import annotations

import click

from benchbase.boards.board import LEADERBOARDS, boards_with_results
from benchbase.leaderboard.pages.files import write_board, write_index
from benchbase.records.committed import Committed


@click.command()
def leaderboard() -> None:
    """Rebuild every board's pages from its committed records; nothing is run.

    Boards that are frozen keep theirs as they are. The same records give the same bytes, so that
    `benchbase verify` can tell an edited page.
    """
    for folder, board in boards_with_results():
        for written in write_board(folder, board, Committed(folder).records()):
            click.echo(written)
    click.echo(write_index(LEADERBOARDS))
