"""``benchbase merge``: bring the results of several homes together."""

from __future__ import annotations

from pathlib import Path

import click

from benchbase.cli import options
from benchbase.errors import UsageError
from benchbase.records.home import Home
from benchbase.records.merging import merge_home

EPILOG = """\b
Examples:
  benchbase run --board nuclei --shard 1/2 --home one    on one machine
  benchbase run --board nuclei --shard 2/2 --home two    on another
  benchbase merge one two --home all                     then together
  benchbase run --board nuclei --home all                finds every cell, and shows the table
"""


@click.command(epilog=EPILOG)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    type=options.UserPath(exists=True, file_okay=False),
)
@click.option(
    "--home",
    required=True,
    metavar="TARGET",
    type=options.UserPath(file_okay=False),
    help="Home to copy the records and predictions to; made where it is not there.",
)
def merge(folders: tuple[Path, ...], home: Path) -> None:
    """Copy what was run in the homes FOLDER... to another home; the same twice changes nothing."""
    target = Home.at(home)
    for folder in folders:
        source = Home(folder)
        if not source.records.is_dir():
            raise UsageError(
                f"{folder}: no home of results (it has no {source.records.name}/): name what "
                "--home or BENCHBASE_HOME was in the run"
            )
    target.check()
    for folder in folders:
        found = merge_home(Home(folder), target)
        click.echo(f"{folder}: {found.added} added, {found.known} known")
