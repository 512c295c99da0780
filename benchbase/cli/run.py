"""``benchbase run``: train, judge, tabulate."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from benchbase.boards.board import Board
from benchbase.boards.estimate import estimate_seconds
from benchbase.boards.places import leaderboards_of
from benchbase.boards.plan import (
    Contestant,
    Plan,
    conditions,
    contestants,
    given_sources,
    is_named,
    make_jobs,
)
from benchbase.cli.interrupts import interruptible
from benchbase.cli.planned import models_notice, plan_json, plan_text
from benchbase.cli.printing import print_table
from benchbase.cli.progress import Display, describe
from benchbase.cli.request import Request, read_request
from benchbase.cli.streams import print_json
from benchbase.errors import UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.pages.files import write_board, write_index
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.options import construct, expand, parse_selector
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.records.record import Record
from benchbase.records.rescoring import scored_again
from benchbase.records.store import Store, counting_attempt
from benchbase.running.executors.contract import Execution, Executor, Job
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.extra_metrics import load_metrics
from benchbase.running.runner import Settings
from benchbase.running.scouting import describe_sources, find_gpus, read_catalogue
from benchbase.running.sweep import Tally, sweep

CELLS_FAILED = 3
INTERRUPTED = 130

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
@click.option("--board", "board_name", metavar="NAME", help="Board to run [default: quick].")
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
@click.option("--dataset", metavar="NAME", help="Data set (see `benchbase list`).")
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
@click.option("--backbone", metavar="NAME", help="Network (see `benchbase list`).")
@click.option(
    "--noise",
    multiple=True,
    metavar="KIND:RATE",
    help="Label noise, such as symmetric:0.4 or none; comma lists, repeatable.",
)
@click.option(
    "--imbalance",
    multiple=True,
    metavar="KIND:RATIO",
    help="Class imbalance, such as 10, step:20 or natural; comma lists, repeatable.",
)
@click.option("--track", metavar="T0|T5|T10|TM", help="Clean labels that are granted.")
@click.option("--seeds", metavar="COUNT|LIST", help="5 runs seeds 0 to 4; 0,3,7 runs these.")
@click.option("--epochs", type=click.IntRange(min=1), help="Training epochs.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Cells at a time [default: cores or GPUs]."
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1e8),
    default=3600.0,
    show_default=True,
    help="Seconds that a cell may take.",
)
@click.option(
    "--data-root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to look for data files in; repeatable.",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for results and caches [default: $BENCHBASE_HOME, else .benchbase].",
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
@click.option("--keep-models", is_flag=True, help="Keep each cell's last model in HOME/models.")
@click.option(
    "--dry-run", is_flag=True, help="Show how many cells there are and the estimated time only."
)
@click.option("--verbose", is_flag=True, help="With --dry-run: name every cell.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Run weighters over noise x imbalance x seeds and show the leaderboard.

    Finished cells are found again: the same command a second time only shows the table.
    """
    request = read_request(given)
    if request.notice:
        click.echo(request.notice, err=True)
    home = Home.at(given["home"])
    store = Store(home)
    committed = Committed(request.folder) if request.folder else None
    selectors = tuple(dict.fromkeys((request.board.reference, *request.board.weighters)))
    server = ForkServer()
    try:
        with home.workspace() as work:
            catalogue = read_catalogue(server, home)
            executor = _executor(given["executor"], catalogue)
            places = conditions(
                request.board, catalogue, given["roots"], home.cache, request.beside
            )
            sources = given_sources((*selectors, *request.board.controls), catalogue)
            plugins = describe_sources(server, sources, home)
            entered, controls = _told_apart(request, selectors, catalogue, plugins)
            reference = _reference(request.board, catalogue, plugins)
            board = _with_labels(request.board, reference, entered, controls)
            jobs = make_jobs(places, entered, controls, board.control_seeds)
            # Whoever debugs wants to see the cell run, finished or not.
            done = _done(jobs, store, committed, given["retry_failed"]) if executor.trusted else {}
            plan = Plan(jobs, done)
            wants_gpus = given["device"] == "cuda" or (given["device"] == "auto" and plan.to_do)
            gpus = find_gpus(server) if wants_gpus else ()
            devices = _devices(given, gpus, executor)[: max(1, len(plan.to_do))]
            if given["dry_run"]:
                seconds = estimate_seconds(plan, store.records(), len(devices))
                if given["as_json"]:
                    print_json(plan_json(plan, seconds))
                else:
                    click.echo(plan_text(plan, seconds, verbose=given["verbose"]))
                return
            if given["keep_models"] and plan.done:
                click.echo(models_notice(plan), err=True)
            settings = Settings(
                work=work,
                home=home,
                timeout=given["timeout"],
                concurrent_cells=len(devices),
                provenance=gather(sys.argv[1:], executor.name, gpus),
                trusted=executor.trusted,
                models=home.models if given["keep_models"] else None,
                extra_metrics=load_metrics(board, catalogue),
            )
            execution = executor.start(server, devices)
            tally, interrupts = _sweep(plan, execution, settings, store)
    finally:
        server.close()
    records = {**scored_again(plan.done, settings.extra_metrics, store), **tally.records}
    table, written = _publish(request, board, committed, [*records.values()], home)
    _report(table, plan, tally, written, home, as_json=given["as_json"])
    if interrupts:
        ctx.exit(INTERRUPTED)
    if tally.lost or any(record.status != "ok" for record in records.values()):
        ctx.exit(CELLS_FAILED)


def _executor(text: str, catalogue: Catalogue) -> Executor:
    """Build the executor that is named, with its options."""
    selector = parse_selector(text)
    entry = catalogue.find("executors", selector.name)
    settings = expand(selector, entry.options)
    if len(settings) > 1:
        raise UsageError(f"--executor {text}: expected one value for each option")
    executor: Executor = construct(entry.load(), settings[0])
    return executor


def _told_apart(
    request: Request,
    selectors: Sequence[str],
    catalogue: Catalogue,
    plugins: Mapping[Source, tuple[Entry, ...]],
) -> tuple[tuple[Contestant, ...], tuple[Contestant, ...]]:
    """Give who is to be ranked, and the controls.

    Where --plugin took the place of all, whom the board's file names as a control stays one.
    """
    entered = contestants(selectors, catalogue, plugins)
    if request.board.controls:
        return entered, contestants(request.board.controls, catalogue, plugins)
    controls = tuple(each for each in entered if is_named(each, request.written.controls))
    return tuple(each for each in entered if each not in controls), controls


def _reference(
    board: Board, catalogue: Catalogue, plugins: Mapping[Source, tuple[Entry, ...]]
) -> Contestant:
    """Give the one contestant that the others are compared with."""
    found = contestants([board.reference], catalogue, plugins)
    if len(found) > 1:
        labels = ", ".join(contestant.spec.label for contestant in found)
        raise UsageError(
            f"the reference {board.reference!r} of the board {board.name} means {labels}: name one"
        )
    return found[0]


def _with_labels(
    board: Board,
    reference: Contestant,
    entered: Sequence[Contestant],
    controls: Sequence[Contestant],
) -> Board:
    """Name the rows as the records will: a file's path becomes its weighters' names.

    Raises:
        UsageError: one of the controls is to be ranked as well.
    """
    labels, of_controls = (
        tuple(contestant.spec.label for contestant in each) for each in (entered, controls)
    )
    for label in of_controls:
        if label in labels:
            raise UsageError(
                f"{label!r} is a control of the board {board.name} and one of its weighters: name "
                "it in one place only"
            )
    return dataclasses.replace(
        board, weighters=labels, controls=of_controls, reference=reference.spec.label
    )


def _done(
    jobs: Sequence[Job], store: Store, committed: Committed | None, retry: bool
) -> dict[str, Record]:
    """Find the records of cells that need not be run."""
    done = {}
    for job in jobs:
        key = job.cell.key
        found = [committed.finished(key) if committed else None, store.finished(key)]
        record = counting_attempt(each for each in found if each is not None)
        if record is not None and not (retry and record.status != "ok"):
            done[key] = record
    return done


def _devices(given: dict[str, Any], gpus: Sequence[str], executor: Executor) -> list[str]:
    """Give one device for each cell at a time."""
    if given["device"] == "cuda" and not gpus:
        raise UsageError("--device cuda: torch finds no GPU here; use --device cpu or auto")
    if not executor.trusted:  # it runs in this very process
        return ["cuda:0" if gpus else "cpu"]
    if gpus:
        jobs = given["jobs"] or len(gpus)
        return [f"cuda:{index % len(gpus)}" for index in range(jobs)]
    return ["cpu"] * (given["jobs"] or _cores())


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sweep(plan: Plan, execution: Execution, settings: Settings, store: Store) -> tuple[Tally, int]:
    """Run what is to do under a display; give the tally and how often it was interrupted."""
    with (
        Display(len(plan.to_do)) as display,
        interruptible(execution, settings.trusted, display.say) as interrupts,
    ):
        tally = sweep(
            plan,
            execution,
            dataclasses.replace(settings, heard=display.heard),
            store,
            started=display.started,
            finished=display.finished,
        )
    return tally, len(interrupts)


def _publish(
    request: Request,
    board: Board,
    committed: Committed | None,
    records: Sequence[Record],
    home: Home,
) -> tuple[Table, list[Path]]:
    """Write the tables: the board's own folder when it ran as written, else the home."""
    if committed is not None:  # a method of one's own stands beside the board's
        board, records = _beside(board, request.written, [*records, *committed.records()])
    keys = sorted({record.key for record in records})
    folder = None if request.folder is None else str(request.folder.resolve())
    last = {"board": board, "keys": keys, "folder": folder}
    replace_file(home.last, msgspec.json.encode(last))
    if request.as_written and committed is not None and request.folder is not None:
        changed = committed.merge(records)
        written = write_board(request.folder, request.written, committed.records())
        if (leaderboards := leaderboards_of(request.folder)) is not None:
            write_index(leaderboards)
        return build(request.written, committed.records()), [*written, *changed]
    return build(board, records), write_board(home.table(board.name), board, records)


def _beside(board: Board, written: Board, records: list[Record]) -> tuple[Board, list[Record]]:
    """Add the rows of the board as its file has it, where they have records."""
    names = {record.spec.weighter.name for record in records}
    others, controls = (
        [text for text in texts if parse_selector(text).name in names]
        for texts in (written.weighters, written.controls)
    )
    board = dataclasses.replace(
        board,
        weighters=tuple(dict.fromkeys((*board.weighters, *others))),
        controls=tuple(dict.fromkeys((*board.controls, *controls))),
    )
    return board, records


def _report(
    table: Table,
    plan: Plan,
    tally: Tally,
    written: Sequence[Path],
    home: Home,
    *,
    as_json: bool,
) -> None:
    cells = {
        "planned": len(plan.jobs),
        "found": len(plan.done),
        "ran": len(tally.records),
        "failed": len(tally.failures),
        "lost": len(tally.lost),
    }
    if as_json:
        paths = [str(path) for path in written]
        print_json({"table": table.to_json(), "cells": cells, "written": paths})
    else:
        print_table(table, Console())
        click.echo(
            f"{cells['planned']} cells: {cells['found']} found, {cells['ran']} run, "
            f"{cells['failed']} failed"
        )
        click.echo(f"Written: {written[0]}")
    for record in tally.failures:
        name = record.spec.weighter.name
        log = home.log(record.key)
        click.echo(f"{name}: {record.status}: {record.reason} (log: {log})", err=True)
    for job, reason in tally.lost:
        click.echo(f"not recorded: {describe(job)}: {reason}", err=True)
