"""``benchbase leaderboard``: rebuild the pages of ``leaderboards/`` from committed records."""

from __future__ import annotations

import click

from benchbase.boards.board import LEADERBOARDS, load_board
from benchbase.errors import UsageError
from benchbase.leaderboard.pages.files import write_board, write_index
from benchbase.records.committed import Committed


@click.command()
def leaderboard() -> None:
    """Rebuild every board's pages from its committed records; nothing is run.

    Boards that are frozen keep theirs as they are. The same records give the same bytes, so that
    `benchbase verify` can tell an edited page.
    """
    boards = sorted(LEADERBOARDS.glob("*/board.toml"))
    if not boards:
        raise UsageError(
            f"there is no {LEADERBOARDS}/*/board.toml here: run this in the folder that holds "
            f"{LEADERBOARDS}/"
        )
    for path in boards:
        board = load_board(str(path))
        if not board.frozen:
            for written in write_board(path.parent, board, Committed(path.parent).records()):
                click.echo(written)
    click.echo(write_index(LEADERBOARDS))
