"""``benchbase replay``: train stored cells again and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchbase.boards.again import differing_parts
from benchbase.boards.board import Board, board_folder, load_board
from benchbase.cell import Spec
from benchbase.cli import options
from benchbase.cli.retraining import Retraining, retraining, workshop
from benchbase.errors import UsageError
from benchbase.judging.clinical import board_metrics
from benchbase.judging.extra import Extra
from benchbase.judging.statistics import NO_MATTER
from benchbase.leaderboard.cells import in_percent, metric_name
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.pages.files import write_board
from benchbase.records.committed import Committed
from benchbase.records.finding import find_record
from benchbase.records.home import Home
from benchbase.records.record import Record
from benchbase.records.replays import Replay, add_replays
from benchbase.records.store import Store
from benchbase.running.replaying import (
    Asked,
    kept_answers,
    sample,
    tolerances,
)
from benchbase.running.replaying import (
    replay as replay_cells,
)

NOT_BORNE_OUT = 5
MAY_DIFFER = ("torch",)
"""Parts of a key that may be another one: the result must then be the same but for rounding."""

EPILOG = """\b
Examples:
  benchbase replay nuclei --sample 10    ten cells of a board, drawn by chance
  benchbase replay 3f9a2c                one cell, by the first letters of its key

\b
Exit codes: 0 every cell is borne out, 2 usage, 5 one is not.
"""


@dataclass(frozen=True)
class Target:
    """What is to be replayed, and where the lines about it go."""

    records: Sequence[Record]
    folder: Path | None
    """Of the board; None for a cell of the home."""
    tolerances: dict[str, float]
    scored_by: tuple[str, str]
    metrics: tuple[Extra, ...]

    @property
    def beside(self) -> Path | None:
        """Where the lines go; None for the home."""
        return None if self.folder is None else self.folder / "results"


@click.command(epilog=EPILOG)
@click.argument("target", metavar="BOARD|CELL")
@click.option("--sample", "count", type=click.IntRange(min=1), help="Cells of a board to draw.")
@click.option(
    "--plugin", metavar="FILE.py|MODULE", help="Where the method's code lies, if not installed."
)
@retraining
@options.home
def replay(
    *, target: str, count: int | None, plugin: str | None, home: Path | None, **how: Any
) -> int:
    """Train stored cells again and compare what comes out; records stay as they are.

    With the same versions on a CPU of the same capability every bit must be the same, otherwise
    the score must lie within the spread of the seeds: three deviations, at least 0.3 points. What
    came of it is a line of replays.jsonl beside the records.
    """
    store = Store(Home.at(home))
    wanted = _target(target, count, store)
    done = replay_all(wanted, store, Retraining(**how), plugin)
    held = sum(one.holds for one in done)
    click.echo(f"{held} of {len(wanted.records)} cells are borne out")
    return 0 if held == len(wanted.records) else NOT_BORNE_OUT


def replay_all(
    wanted: Target, store: Store, how: Retraining, plugin: str | None = None
) -> list[Replay]:
    """Train cells again; write a line about each, and the pages that tell of them.

    Raises:
        UsageError: a cell is another one today.
    """
    with workshop(how, store, plugin) as shop:
        asked = []
        for record in wanted.records:
            job = shop.plan_again(record.spec, wanted.folder or Path())
            _refuse_other(record, job.cell.spec)
            tolerance = wanted.tolerances.get(record.key, NO_MATTER)
            answers = kept_answers(record, wanted.folder, store.home)
            asked.append(Asked(record, job, tolerance, answers))
        with shop.execution(len(asked), wanted.metrics) as (execution, settings):
            done = replay_cells(
                asked,
                execution,
                settings,
                scored_by=wanted.scored_by,
                by=how.by or f"machine {settings.provenance.host}",
                heard=_tell,
            )
    if done:
        click.echo(add_replays(wanted.beside or store.home.path, done))
        for page in _pages(wanted.folder):
            click.echo(page)
    return done


def _target(target: str, count: int | None, store: Store) -> Target:
    """Find what is meant.

    Raises:
        UsageError: it is neither a leaderboard nor a cell that has a score.
    """
    if count is not None:
        folder = board_folder(target)
        if folder is None:
            raise UsageError(f"{target!r} has no leaderboard: replay a cell, by its key")
        board, records = _board(folder)
        return of_board(board, folder, records, sample(board, records, count))
    found = find_record(target, store)
    if found.record.status != "ok":
        raise UsageError(
            f"cell {found.record.key[:12]} ended with {found.record.status}: only what ended well "
            "is replayed; `benchbase run --retry-failed` runs it again"
        )
    if found.folder is not None:
        board, records = _board(found.folder)
        if score_of(found.record, board.rule, board.metric) is None:
            raise UsageError(
                f"cell {found.record.key[:12]} has no {metric_name(board.metric)}: there is "
                f"nothing to compare; `benchbase show --cell {found.record.key[:12]}` says why"
            )
        return of_board(board, found.folder, records, [found.record])
    return Target([found.record], None, {}, ("tail", "balanced_accuracy"), ())


def _pages(folder: Path | None) -> list[Path]:
    """Write the pages anew that tell of replays."""
    if folder is None:
        return []
    board, records = _board(folder)
    return write_board(folder, board, records)


def _board(folder: Path) -> tuple[Board, list[Record]]:
    board = load_board(str(folder.resolve()))
    if board.frozen:
        raise UsageError(f"{board.name!r} is frozen (made under {board.frozen}): nothing to replay")
    return board, Committed(folder).records()


def of_board(
    board: Board, folder: Path, records: Sequence[Record], chosen: Sequence[Record]
) -> Target:
    """Make cells of a board what is to be replayed."""
    return Target(
        chosen,
        folder,
        tolerances(board, records),
        (board.rule, board.metric),
        board_metrics(board.metric, board.metric_options),
    )


def _refuse_other(record: Record, today: Spec) -> None:
    """Refuse to compare with another method, other data or another protocol.

    Raises:
        UsageError: the cell is another one today.
    """
    parts = [name for name, _, _ in differing_parts(record.spec, today) if name not in MAY_DIFFER]
    if parts:
        raise UsageError(
            f"cell {record.key[:12]} ({record.spec.weighter.label}) is another one here: "
            f"{', '.join(parts)} differ (`benchbase why {record.key[:12]}` says how); install what "
            "it was run with"
        )


def _tell(done: Replay, today: Record) -> None:
    score = "no score" if done.replayed is None else in_percent(done.replayed, ".2f")
    click.echo(
        f"{done.key[:12]}: {done.outcome}: {in_percent(done.recorded, '.2f')} recorded, {score} now"
    )
    for line in filter(None, (today.reason, *done.differing)):
        click.echo(f"  {line}")
