"""``benchbase site``: every board as one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from benchbase.boards.board import LEADERBOARDS, board_folder, load_board
from benchbase.cli import options
from benchbase.errors import UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.site.page import board_page, index_page
from benchbase.leaderboard.verifying import evidence_of
from benchbase.records.committed import Committed

EPILOG = """\b
Examples:
  benchbase site                          all boards of leaderboards/, and an index
  benchbase site --board nuclei --out public
"""


out_folder = click.option(
    "--out",
    type=options.UserPath(file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Folder for the pages; made where it is not there.",
)


@click.command(epilog=EPILOG)
@click.option("--board", "name", metavar="NAME", help="This board alone, without an index.")
@out_folder
def site(name: str | None, out: Path) -> None:
    """Write pages that open without a network: tables to sort, figures, where cells come from.

    They are made from the committed records alone; the same records give the same bytes. Boards
    that are frozen have none.
    """
    tables = {}
    for folder in _folders(name):
        board = load_board(str(folder.resolve()))
        records = Committed(folder).records()
        evidence = evidence_of(folder, board, records)
        path = out / f"{board.name}.html"
        replace_file(path, board_page(board, records, evidence))
        click.echo(path)
        tables[path.name] = build(board, records, evidence)
    if name is None:
        replace_file(out / "index.html", index_page(tables))
        click.echo(out / "index.html")


def _folders(name: str | None) -> list[Path]:
    """Give the folders of the boards that are wanted.

    Raises:
        UsageError: there is none.
    """
    if name is not None:
        folder = board_folder(name)
        if folder is None or load_board(name).frozen:
            raise UsageError(
                f"{name!r} has no records beside it, or is frozen; `benchbase show --board {name} "
                "--open` makes a page of what is in the home"
            )
        return [folder]
    boards = sorted(LEADERBOARDS.glob("*/board.toml"))
    if not boards:
        raise UsageError(
            f"there is no {LEADERBOARDS}/*/board.toml here: run this in the folder that holds "
            f"{LEADERBOARDS}/"
        )
    return [path.parent for path in boards if not load_board(str(path)).frozen]
