"""``benchbase site``: every board as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from benchbase.boards.board import board_folder, has_results, load_board
from benchbase.boards.plan import Condition, conditions
from benchbase.cli import options
from benchbase.errors import PluginError, UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.committed_board import (
    CommittedBoard,
    verified_board,
    verified_boards,
)
from benchbase.leaderboard.site.examples import LARGEST_BYTES, Examples, examples, may_be_shown
from benchbase.leaderboard.site.page import board_page, index_page
from benchbase.plugins import Catalogue
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.running.scouting import read_installed

EPILOG = """\b
Examples:
  benchbase site                          all boards of leaderboards/, and an index
  benchbase site --board nuclei --out public
  benchbase site --images --data-root data
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
@click.option("--images", is_flag=True, help="Show example images, where the data are here.")
@options.data_roots
@options.home
def site(
    *, name: str | None, out: Path, images: bool, roots: tuple[Path, ...], home: Path | None
) -> None:
    """Write pages that open without a network: tables to sort, figures, where cells come from.

    They are made from the committed records alone; the same records give the same bytes. Boards
    that are frozen or have no results yet have none. With --images they also hold an image of each
    class, and some with wrong labels, of each data set whose card says that its images may be
    shown.
    """
    place = Home.at(home)
    catalogue = read_installed(place) if images else None

    def images_of(one: CommittedBoard) -> list[Examples]:
        return [] if catalogue is None else [*_examples(one, catalogue, roots, place.cache)]

    if name is None:
        write_site(out, verified_boards(), images_of)
    else:
        one = _one(name)
        _write_page(out, one, images_of(one))


def write_site(
    out: Path,
    boards: Sequence[CommittedBoard],
    images_of: Callable[[CommittedBoard], Sequence[Examples]] = lambda _: (),
) -> None:
    """Write the pages of all boards and their index."""
    pages = {_write_page(out, one, images_of(one)).name: one.table for one in boards}
    replace_file(out / "index.html", index_page(pages))
    click.echo(out / "index.html")


def _write_page(out: Path, one: CommittedBoard, shown: Sequence[Examples]) -> Path:
    path = out / f"{one.board.name}.html"
    replace_file(path, board_page(one.table, one.records, one.evidence, shown))
    click.echo(path)
    return path


def _examples(
    one: CommittedBoard, catalogue: Catalogue, roots: Sequence[Path], cache: Path
) -> Iterator[Examples]:
    """Give the examples of each data set of a board; say of which there are none, and why.

    Whoever holds no secret cannot draw the labels of a board that was drawn with one.
    """
    board, folder = one.board, one.folder
    places: dict[str, list[Condition]] = {}
    try:
        for place in conditions(board, catalogue, roots, cache, folder, data_beside=folder):
            places.setdefault(place.scenario.data, []).append(place)
    except (UsageError, PluginError) as error:  # a data set or a noise that is not installed
        click.echo(f"{board.name}: no images: {error}", err=True)
    for data, own in places.items():
        reason = "no card says that its images may be shown"
        if may_be_shown(own[0]):
            try:
                yield examples(own, LARGEST_BYTES // len(places), wrong=not board.noise_secret)
                continue
            except (UsageError, PluginError) as error:
                reason = str(error)
        click.echo(f"{board.name}: no images of {data}: {reason}", err=True)


def _one(name: str) -> CommittedBoard:
    """Verify a board whose results count."""
    folder, board = board_folder(name), load_board(name)
    if folder is None or board.frozen or not has_results(folder):
        raise UsageError(
            f"{name!r} has no records beside it, or is frozen; `benchbase show --board {name} "
            "--open` makes a page of what is in the home"
        )
    return verified_board(folder, board, Committed(folder).records())
