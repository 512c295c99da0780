"""``benchbase data``: data sets before anything is trained on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchbase.boards.order import Order
from benchbase.boards.request import chosen_data_set
from benchbase.cell import Scenario
from benchbase.cli import FAILED, options
from benchbase.cli.preparing import shown_preparation
from benchbase.data.cache import prepare
from benchbase.data.contract import DataSet
from benchbase.data.getting import get, verify
from benchbase.data.own.description import describe
from benchbase.data.prepared import prepared_sets
from benchbase.errors import UsageError
from benchbase.files import create_file
from benchbase.options import construct
from benchbase.records.home import Home
from benchbase.running.scouting import read_installed

EPILOG = """\b
Examples:
  benchbase data list                            what there is, and what is prepared
  benchbase data prepare folder:moles --size 64  decode it now, and say what was read
  benchbase data split folder:moles mine.csv     which image trains, validates and tests
  benchbase data card nuclei                     where it comes from, on which terms
"""
Function = Callable[..., Any]

_named = click.argument("dataset", metavar="DATASET")
_OWN_OPTIONS = (
    options.size,
    options.split,
    click.option(
        "--on-bad-image",
        type=click.Choice(["fail", "skip"]),
        help="What an image of your own that cannot be read does [default: fail].",
    ),
)


def _of_own(function: Function) -> Function:
    """Add the options of a data set, those of one's own images with them."""
    for option in (options.home, options.data_roots, *reversed(_OWN_OPTIONS), _named):
        function = option(function)
    return function


@click.group(epilog=EPILOG)
def data() -> None:
    """List, fetch, prepare and check data sets; a DATASET is named as for `benchbase run`."""


@data.command("list")
@options.home
def list_sets(home: Path | None) -> None:
    """List the data sets by name, and what lies prepared in the home folder."""
    place = Home.at(home)
    catalogue = read_installed(place)
    entries = catalogue.of("datasets")
    names = catalogue.names("datasets")
    width = max(map(len, names))
    for name, entry in zip(names, entries, strict=True):
        click.echo(f"{name:<{width}}  {entry.summary}")
    prepared = [*prepared_sets(place.cache)]
    click.echo("\nPrepared:" if prepared else "\nNothing is prepared yet.")
    for one in prepared:
        shape = " x ".join(map(str, one.shape))
        name = one.name or "(by an older version)"
        click.echo(f"  {name}: {one.images:,} images, {shape}, {one.size / 1e6:.1f} MB")
        click.echo(f"    {one.folder}")


@data.command("prepare")
@_of_own
def prepare_set(dataset: str, **options: Any) -> None:
    """Decode a data set into the home folder, unless it is there, and say what was read."""
    name, found, roots, cache = _chosen(dataset, options)
    with shown_preparation():
        click.echo(describe(name, found, roots, cache))


@data.command("split")
@_of_own
@click.argument("file", metavar="[FILE.csv]", required=False, type=options.UserPath(dir_okay=False))
def split_set(dataset: str, file: Path | None, **options: Any) -> None:
    """Write which image is in which part, as `--split` reads it; on stdout without a file."""
    name, found, roots, cache = _chosen(dataset, options)
    with shown_preparation():
        text = prepare(found, roots, cache).parts.split_file
    if not text:
        raise UsageError(f"{name}: its images have no names, so that no file can tell them apart")
    if file is None:
        click.echo(text, nl=False)
        return
    if file.exists():
        raise UsageError(f"{file}: it is there already: name another file, or remove it")
    create_file(file, text)
    click.echo(f"Written: {file}")


@data.command("card")
@click.argument("name", metavar="NAME")
@options.home
def card_of(name: str, home: Path | None) -> None:
    """Show where a data set comes from, on which terms, and what to know of it."""
    entry = read_installed(Home.at(home)).find("datasets", name)
    if entry.card is None:
        raise UsageError(f"{name}: has no card; `benchbase info {name}` says what is known of it")
    click.echo("\n".join(f"{label}: {text}" for label, text in entry.card.lines().items()))


@data.command("get")
@_named
@click.option(
    "--to",
    "folder",
    required=True,
    type=options.UserPath(file_okay=False),
    help="Folder to put the files into: a --data-root later on.",
)
@options.home
def get_set(dataset: str, folder: Path, home: Path | None) -> None:
    """Fetch a data set's files, checked against what was published, where a program may."""
    _, found, _, _ = _chosen(dataset, {"home": home})
    for path in get(found, folder):
        click.echo(f"Here: {path}")


@data.command("verify")
@_named
@options.data_roots
@options.home
@click.pass_context
def verify_set(ctx: click.Context, /, dataset: str, **options: Any) -> None:
    """Say what is missing, or other than a data set's card states."""
    name, found, roots, cache = _chosen(dataset, options)
    with shown_preparation():
        differences = verify(found, roots, cache)
    for difference in differences:
        click.echo(difference)
    if differences:
        ctx.exit(FAILED)
    click.echo(f"{name}: all is as its card says")


def _chosen(text: str, options: dict[str, Any]) -> tuple[str, DataSet, tuple[Path, ...], Path]:
    """Build a data set from its name and options; give what to call it, and its folders."""
    order = Order(dataset=text, **options)
    home = Home.at(order.home)
    catalogue = read_installed(home)
    chosen = chosen_data_set(order, text, catalogue)
    scenario = Scenario(dataset=chosen["dataset"], dataset_options=chosen["dataset_options"])
    cls = catalogue.find("datasets", scenario.dataset).load()
    found = construct(cls, scenario.dataset_options)
    return scenario.data, found, tuple(order.roots), home.cache
