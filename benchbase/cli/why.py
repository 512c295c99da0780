"""``benchbase why``: which part of a cell's key is another one today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from benchbase.boards.again import differing_parts, plan_again
from benchbase.cli import options
from benchbase.cli.replayed import NOT_REPLAYED, changed_names
from benchbase.data.secret import Secret
from benchbase.plugins import Entry, Source
from benchbase.plugins.source import given_source
from benchbase.records.finding import find_record
from benchbase.records.home import Home
from benchbase.records.provenance import lives_text
from benchbase.records.store import Store
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.scouting import describe_sources, read_catalogue

EPILOG = """\b
Examples:
  benchbase why 3f9a2c                           a cell of an installed method
  benchbase why 3f9a2c --plugin ./my_method.py   one of a file
"""


@click.command(epilog=EPILOG)
@click.argument("cell", metavar="CELL")
@click.option(
    "--plugin", metavar="FILE.py|MODULE", help="Where the method's code lies, if not installed."
)
@options.data_roots
@options.secret
@options.home_of_results
def why(
    cell: str,
    plugin: str | None,
    roots: tuple[Path, ...],
    secret: Path | None,
    home: Path | None,
) -> None:
    """Say why a stored cell, named by the first letters of its key, would be run anew.

    A run finds a cell again where its key is the same: the method with its version and options,
    the data, the scenario, the seed, torch. Every part is shown that is another one today.
    """
    store = Store(Home.at(home))
    found = find_record(cell, store)
    record = found.record
    server = ForkServer()
    try:
        catalogue = read_catalogue(server, store.home)
        job = plan_again(
            record.spec,
            catalogue,
            folder=found.folder or Path(),
            roots=roots,
            cache=store.home.cache,
            given=given_weighters(plugin, server, store.home),
            secret=None if secret is None else Secret.read(secret),
        )
    finally:
        server.close()
    parts = [*differing_parts(record.spec, job.cell.spec)]
    for name, before, after in parts:
        click.echo(f"{name}: {_shown(before)} in the record, {_shown(after)} today")
    if lives := lives_text(record.provenance):
        click.echo(f"it was run {lives}: interrupted, and gone on from a snapshot")
    if not parts:
        click.echo(f"nothing differs: a run finds cell {record.key[:12]} again")
    for name in changed_names(record, (job.weighter, job.backbone)):
        click.echo(f"{name}: {NOT_REPLAYED}, under the same version")


def given_weighters(
    plugin: str | None, server: ForkServer, home: Home
) -> Mapping[Source, tuple[Entry, ...]]:
    """Tell which weighters a file or a module brings, if one was named."""
    source = None if plugin is None else given_source(plugin)
    return {} if source is None else describe_sources(server, [source], home)


def _shown(value: object) -> str:
    return "nothing" if value in (None, "") else str(value)
