"""``benchbase show``: the last tables and curves again, or one cell in detail."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from benchbase.boards.board import Board
from benchbase.boards.conditions import scenario_text
from benchbase.cell import format_label
from benchbase.cli import options
from benchbase.cli.predictions import write_predictions
from benchbase.cli.printing import print_curves, print_failures, print_table
from benchbase.cli.replayed import not_replayed
from benchbase.cli.streams import print_json
from benchbase.errors import UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.cells import metric_name
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.curves import mean_curves
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.site.page import board_page
from benchbase.records.finding import find_record
from benchbase.records.home import Home
from benchbase.records.last import board_records, last_run
from benchbase.records.provenance import lives_text
from benchbase.records.record import Record
from benchbase.records.record import as_json as record_json
from benchbase.records.store import Store
from benchbase.running.scouting import read_installed


@click.command("show")
@click.option("--board", "board_name", metavar="NAME", help="Show this board instead.")
@click.option("--cell", metavar="KEY", help="Show one cell; the first letters of its key do.")
@options.home_of_results
@click.option(
    "--predictions",
    metavar="FILE.csv",
    type=options.UserPath(dir_okay=False),
    help="With --cell: write what its last epoch says of each test image.",
)
@click.option("--open", "opens", is_flag=True, help="Write the table as a page and open it.")
@options.as_json
def command(
    board_name: str | None,
    cell: str | None,
    home: Path | None,
    predictions: Path | None,
    *,
    opens: bool,
    as_json: bool,
) -> None:
    """Show the last run's tables and curves again; nothing is run."""
    store = Store(Home.at(home))
    if cell is not None:
        record = find_record(cell, store, board_name).record
        if predictions is not None:
            count = write_predictions(record, store.home.path, predictions)
            click.echo(f"{predictions}: {count:,} test images", err=as_json)
        else:
            _show_cell(record, store.home, as_json=as_json)
        return
    if predictions is not None:
        raise UsageError("--predictions needs --cell KEY: whose predictions are meant?")
    if board_name is None:
        board, records = last_run(store)
    else:
        board, records = board_records(board_name, store)
    if opens:
        page = store.home.page(board.name)
        replace_file(page, board_page(build(board, records), records))
        click.echo(page)
        webbrowser.open(page.resolve().as_uri())
        return
    _show_board(board, records, store.home, as_json=as_json)


def _show_board(board: Board, records: Sequence[Record], home: Home, *, as_json: bool) -> None:
    table = build(board, records)
    curves = mean_curves(board, records)
    shown = [
        (f"{entry.label} | {_condition(record)}", record)
        for entry in choose(board, records)
        for record in entry.cells.values()
    ]
    failed = [(place, record) for place, record in shown if record.status != "ok"]
    changed = _not_replayed([record for _, record in shown], home)
    if as_json:
        cells = [
            {
                "cell": place,
                "key": record.key,
                "status": record.status,
                "reason": record.reason,
            }
            for place, record in failed
        ]
        whole = {
            "table": table.to_json(),
            "curves": [one.to_json() for one in curves],
            "failed_cells": cells,
            "changed": changed,
        }
        print_json(whole)
        return
    console = Console()
    print_table(table, console)
    print_curves(curves, console)
    print_failures(failed, console)
    for line in changed:
        click.echo(line)


def _not_replayed(records: Sequence[Record], home: Home) -> list[str]:
    """Compare with what is installed; where no record has a stated version there is no need to."""
    if not any(_states_a_version(record) for record in records):
        return []
    return not_replayed(records, read_installed(home))


def _states_a_version(record: Record) -> bool:
    spec = record.spec
    return bool(spec.weighter.version) or spec.backbone_source.startswith("version ")


def _condition(record: Record) -> str:
    scenario = record.spec.scenario
    return f"{scenario.data} {scenario_text(scenario)} | seed {record.spec.seed}"


def _show_cell(record: Record, home: Home, *, as_json: bool) -> None:
    if as_json:
        print_json(record_json(record))
        return
    weighter = record.spec.weighter
    method = format_label(weighter.name, weighter.options)
    version = f", version {weighter.version}" if weighter.version else ""
    inline = "" if record.trusted else " (run in one process)"
    lines = [
        f"cell      {record.key}",
        f"attempt   {record.attempt}",
        f"method    {method} ({weighter.distribution}{version})",
        f"code      {record.provenance.source[:12] or 'unknown'}",
        f"condition {_condition(record)}",
        f"status    {record.status}{inline}",
        *([f"run       {lives}"] if (lives := lives_text(record.provenance)) else []),
    ]
    lines += [f"reason    {record.reason}"] if record.reason else []
    lines += [
        f"score     {rule}: balanced accuracy {value:.4f}"
        for rule in record.metrics
        if (value := score_of(record, rule, "balanced_accuracy")) is not None
    ]
    lines += [
        f"undefined {metric_name(name)}: {score.reason}"
        for name, score in record.metrics.get("tail", {}).items()
        if score.reason
    ]
    costs = msgspec.structs.asdict(record.cost)
    lines += [f"changed   {line}" for line in _not_replayed([record], home)]
    lines += [f"cost      {name}: {value}" for name, value in sorted(costs.items())]
    log = home.log(record.key)
    lines += [f"log       {log}"] if log.exists() else []
    lines += ["", record.error.traceback.rstrip()] if record.error else []
    click.echo("\n".join(lines))
