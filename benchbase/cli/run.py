"""``benchbase run``: train, judge, tabulate."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from benchbase.boards.estimate import estimate_seconds
from benchbase.boards.order import Order
from benchbase.boards.plan import Plan
from benchbase.cli import FAILED, INTERRUPTED, options
from benchbase.cli.interrupts import interruptible
from benchbase.cli.planned import models_notice, plan_json, plan_text
from benchbase.cli.preparing import shown_preparation
from benchbase.cli.printing import print_table
from benchbase.cli.progress import Display, describe
from benchbase.cli.replayed import found_again
from benchbase.cli.streams import print_json
from benchbase.leaderboard.results import Results
from benchbase.pipeline import Ready, carry_out, merge, prepare, publish_run
from benchbase.records.home import Home
from benchbase.running.sweep import Tally

EPILOG = """\b
Examples:
  benchbase run                                  three methods on real data, a few minutes
  benchbase run --plugin ./my_method.py          your method beside the reference
  benchbase run --plugin "./my_method.py[rate=0.1,0.5]" --noise symmetric:0.2,pair:0.4
  benchbase run --board nuclei                   what leaderboards/nuclei/board.toml says
  benchbase run --board nuclei --plugin ./my_method.py    your method against that board

Exit codes: 0 every cell ok, 2 usage, 3 some cells failed (the others are kept), 130 interrupted.
"""


@click.command(epilog=EPILOG)
@click.option("--board", metavar="NAME", help="Board to run [default: quick].")
@click.option("--suite", metavar="NAME|FILE.toml", help="Take scenarios and seeds from this file.")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME|FILE.py|MODULE",
    help="Weighter to run, with options as name[option=value,other=1,2]; repeatable. Replaces "
    "the board's weighters and controls; the reference is always added, and a control of the "
    "board stays one.",
)
@click.option(
    "--dataset",
    metavar="NAME|SOURCE:PATH",
    help="Data set (see `benchbase list`), as name[option=value]; or your own images, as "
    "folder:PATH, csv:FILE, npz:FILE or hf:OWNER/NAME, with labels as given and no added noise.",
)
@options.size
@options.split
@click.option(
    "--on-bad-image",
    type=click.Choice(["fail", "skip"]),
    help="What an image of your own that cannot be read does [default: fail]; skip leaves it out, "
    "and lists it.",
)
@options.trusted
@click.option(
    "--labels",
    type=options.UserPath(exists=True, dir_okay=False),
    metavar="FILE.csv",
    help="Corrected labels of your own images (columns path or image, suggested or label; rows "
    "that it does not name keep theirs): trained on beside the labels as they were, to see what "
    "the correction brings. Test labels stay.",
)
@click.option("--train-size", type=click.IntRange(min=1), help="Training images before imbalance.")
@click.option(
    "--label-fraction",
    type=click.FloatRange(min=0, min_open=True, max=1),
    help="Share of the training images that keep their labels.",
)
@click.option(
    "--label-budget",
    type=click.IntRange(min=0),
    help="True labels that a method may buy, where it asks for any.",
)
@options.backbone
@click.option(
    "--noise",
    multiple=True,
    metavar="KIND:RATE",
    help="Label noise, such as symmetric:0.4, real or none; comma lists, repeatable.",
)
@click.option(
    "--imbalance",
    multiple=True,
    metavar="KIND:RATIO",
    help="Class imbalance, such as 10, step:20 or natural; comma lists, repeatable.",
)
@click.option(
    "--track",
    metavar="T0|T5|T10|TM|TV",
    help="Trusted images for methods that ask for them: none (T0), 5 or 10 of each class, a "
    "balanced meta set of up to 1,000 (TM), or those that --trusted names (TV).",
)
@click.option("--seeds", metavar="COUNT|LIST", help="5 runs seeds 0 to 4; 0,3,7 runs these.")
@click.option("--epochs", type=click.IntRange(min=1), help="Training epochs.")
@options.jobs
@options.device
@options.timeout
@options.data_roots
@options.home
@click.option(
    "--shard",
    metavar="I/N",
    help="Run the I-th of N parts of the cells, I from 1, each in a home of its own; "
    "`benchbase merge` brings the parts together.",
)
@click.option("--retry-failed", is_flag=True, help="Run failed cells again.")
@click.option(
    "--executor",
    default="local",
    show_default=True,
    metavar="NAME",
    help="Way to run the cells (see `benchbase list executors`), with options as for --plugin; "
    "inline runs them in this process, for debugging, and its results are untrusted.",
)
@options.sandbox
@options.secret
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse data of which test images, or their patients, are in train too.",
)
@click.option("--keep-models", is_flag=True, help="Keep each cell's last model in HOME/models.")
@click.option(
    "--dry-run", is_flag=True, help="Show how many cells there are and the estimated time only."
)
@click.option("--verbose", is_flag=True, help="With --dry-run: name every cell.")
@options.as_json
@click.pass_context
def run(
    ctx: click.Context, /, *, dry_run: bool, verbose: bool, as_json: bool, **options: Any
) -> None:
    """Run weighters over noise x imbalance x seeds and show the leaderboard.

    Finished cells are found again: the same command a second time only shows the table.
    """
    with shown_preparation(), prepare(Order(**options)) as ready:
        if ready.request.notice:
            click.echo(ready.request.notice, err=True)
        for text in ready.told:
            click.echo(text, err=True)
        if dry_run:
            _print_plan(ready, verbose=verbose, as_json=as_json)
            return
        for line in found_again(ready.plan):
            click.echo(line, err=True)
        if options["keep_models"] and ready.plan.done:
            click.echo(models_notice(ready.plan), err=True)
        with (
            Display(len(ready.plan.to_do)) as display,
            interruptible(ready.execution, ready.settings.trusted, display.say) as interrupts,
        ):
            tally = carry_out(ready, display)
    records = merge(ready, tally)
    results = publish_run(ready, records)
    _report(results, ready.plan, tally, ready.settings.home, as_json=as_json)
    if interrupts:
        ctx.exit(INTERRUPTED)
    if tally.lost or any(record.status != "ok" for record in records):
        ctx.exit(FAILED)


def _print_plan(ready: Ready, *, verbose: bool, as_json: bool) -> None:
    slots = ready.settings.concurrent_cells
    seconds = estimate_seconds(ready.plan, ready.store.records(), slots)
    if as_json:
        print_json(plan_json(ready.plan, seconds))
    else:
        click.echo(plan_text(ready.plan, seconds, verbose=verbose))


def _report(results: Results, plan: Plan, tally: Tally, home: Home, *, as_json: bool) -> None:
    """Print the table, what was run, and what failed."""
    cells = {
        "planned": len(plan.jobs),
        "found": len(plan.done),
        "ran": len(tally.records),
        "failed": len(tally.failures),
        "lost": len(tally.lost),
    }
    if as_json:
        paths = [str(path) for path in results.written]
        print_json({"table": results.table.to_json(), "cells": cells, "written": paths})
    else:
        print_table(results.table, Console())
        click.echo(
            f"{cells['planned']} cells: {cells['found']} found, {cells['ran']} run, "
            f"{cells['failed']} failed"
        )
        click.echo(f"Written: {results.written[0]}")
        page = home.page(results.table.board.name)
        click.echo(f"As a page ({page}): benchbase show --open")
    for record in tally.failures:
        name = record.spec.weighter.name
        log = home.log(record.key)
        click.echo(f"{name}: {record.status}: {record.reason} (log: {log})", err=True)
    for job, reason in tally.lost:
        click.echo(f"not recorded: {describe(job)}: {reason}", err=True)
