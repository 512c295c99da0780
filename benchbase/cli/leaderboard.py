"""``benchbase leaderboard``: rebuild the pages of ``leaderboards/`` from committed records."""

from __future__ import annotations

from pathlib import Path

import click

from benchbase.boards.board import LEADERBOARDS, load_board
from benchbase.errors import UsageError
from benchbase.leaderboard.pages.files import (
    board_files,
    index_text,
    stale_charts,
    write_board,
    write_index,
)
from benchbase.leaderboard.predictions import check_predictions
from benchbase.records.committed import Committed

DIFFERS = 4


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 4 where a page or score differs.")
@click.pass_context
def leaderboard(ctx: click.Context, check: bool) -> None:
    """Rebuild every board's pages from its committed records; nothing is run.

    Boards that are frozen keep theirs as they are. The same records give the same bytes, so that
    CI can tell an edited page with --check, which also computes the scores of the records again
    from the committed predictions.
    """
    boards = sorted(LEADERBOARDS.glob("*/board.toml"))
    if not boards:
        raise UsageError(
            f"there is no {LEADERBOARDS}/*/board.toml here: run this in the folder that holds "
            f"{LEADERBOARDS}/"
        )
    recomputed, problems = 0, list[str]()
    expected: dict[Path, str | None] = {LEADERBOARDS / "README.md": index_text(LEADERBOARDS)}
    for path in boards:
        board = load_board(str(path))
        if board.frozen:
            continue
        records = Committed(path.parent).records()
        if check:
            files = board_files(board, records)
            expected |= {path.parent / name: text for name, text in files.items()}
            expected |= dict.fromkeys(stale_charts(path.parent, files))
            checked = check_predictions(path.parent, board, records)
            recomputed += checked.count
            problems += checked.problems
        else:
            for written in write_board(path.parent, board, records):
                click.echo(written)
    if not check:
        click.echo(write_index(LEADERBOARDS))
        return
    differing = [path for path, text in expected.items() if _text(path) != text]
    for path in differing:
        click.echo(f"differs from its records: {path}", err=True)
    if differing:
        click.echo("`benchbase leaderboard` puts them right", err=True)
    for problem in problems:
        click.echo(problem, err=True)
    if differing or problems:
        ctx.exit(DIFFERS)
    click.echo(
        f"{len(expected)} pages agree with their records, {recomputed} records with their "
        "predictions"
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
