"""``benchbase advise DATASET``: which method to use on a data set, in the time that there is."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console

from benchbase.boards.order import Order
from benchbase.boards.own_data import is_own
from benchbase.cli import FAILED, INTERRUPTED, options
from benchbase.cli.interrupts import interruptible
from benchbase.cli.preparing import shown_preparation
from benchbase.cli.printing import print_columns
from benchbase.cli.progress import describe
from benchbase.cli.streams import print_json
from benchbase.leaderboard.pages.escaping import terminal_text
from benchbase.pipeline import Watch
from benchbase.records.record import Record
from benchbase.running.executors.contract import Job

EPILOG = """\b
Examples:
  benchbase advise folder:moles
  benchbase advise "csv:labels.csv[label=dx,group=lesion_id]" --budget 1h --trusted checked.csv

Exit codes: 0 all ok, 2 usage, 3 some cells failed (the others are kept), 130 interrupted.
"""


class Lines(Watch):
    """Says of each cell when it ended."""

    def __init__(self, budget: float, started: float) -> None:
        self._budget, self._started = budget, started

    def say(self, text: str) -> None:
        """Write a line, with the time that is gone."""
        gone = (time.time() - self._started) / 60
        click.echo(f"[{gone:.1f} of {self._budget / 60:g} min] {text}", err=True)

    def finished(self, job: Job, record: Record | None) -> None:
        """Say how a cell ended."""
        if record is None:
            self.say(f"not recorded: {describe(job)}")
        elif record.status != "ok":
            self.say(f"{record.status}: {describe(job)}: {record.reason}")
        else:
            self.say(f"{describe(job)}: {record.cost.seconds_total:.0f} s")


@click.command(epilog=EPILOG)
@click.argument("dataset", metavar="NAME|SOURCE:PATH")
@options.budget("30m", "Time for all of it; methods that do not fit are named.")
@options.trusted
@options.split
@options.size
@options.backbone
@options.jobs
@options.device
@options.data_roots
@options.home
@options.as_json
@click.pass_context
def advise(
    ctx: click.Context,
    /,
    *,
    dataset: str,
    budget: float,
    trusted: str | None,
    split: Path | None,
    size: int | None,
    backbone: str | None,
    jobs: int | None,
    device: str,
    roots: tuple[Path, ...],
    home: Path | None,
    as_json: bool,
) -> None:
    """Say which method to use on a data set, how sure that is, and which classes suffer.

    Methods that need no clean labels (with --trusted, others too) are compared with plain training
    on your images and labels, and on injected noise of the kind and rate that the labels suggest;
    none trains for less than 1,000 steps. It stops when the time is over; the same command again
    goes on from there.
    """
    started = time.time()
    own = is_own(dataset)  # These are taken as given without being asked.
    order = Order(
        dataset=dataset,
        trusted=trusted,
        split=split,
        size=size,
        backbone=backbone,
        jobs=jobs,
        device=device,  # type: ignore[arg-type]
        roots=roots,
        home=home,
        noise=() if own else ("none",),
        imbalance=() if own else ("natural",),
        track=None if own else "T0",
    )
    # Imported here: these are what takes the seconds.
    from benchbase.advising.running import Adviser, Budget, look_at, over_at
    from benchbase.advising.telling import left_out, rows, sentences, to_use

    watch = Lines(budget, started)
    times = Budget(started, budget)
    with shown_preparation(), over_at(times.cells):
        look = look_at(order, times, watch.say)
    if look.room.told:
        click.echo(look.room.told, err=True)
    adviser = Adviser(order, look, times)
    with (
        adviser.ready() as ready,
        interruptible(ready.execution, ready.settings.trusted, watch.say) as interrupts,
    ):
        records = adviser.run(ready, watch)
    advice = adviser.conclude(ready, records)
    header, cells = rows(advice)
    said = [*sentences(advice), *left_out(advice)]
    if as_json:
        print_json(
            {
                "use": to_use(advice),
                "sentences": said,
                "table": [dict(zip(header, row, strict=True)) for row in cells],
                "left_out": dict(advice.left_out),
                "written": [str(path) for path in adviser.written],
            }
        )
    else:
        console = Console()
        if cells:
            title = f"{look.room.name}: which method to use"
            print_columns(title, header, cells, console)
        for text in said:
            console.print(
                terminal_text(text),
                markup=False,
                highlight=False,
                soft_wrap=not console.is_terminal,
            )
        for path in adviser.written:
            click.echo(f"Written: {path}")
    if interrupts:
        ctx.exit(INTERRUPTED)
    if any(record.status != "ok" for record in records):
        ctx.exit(FAILED)
