"""``benchbase list``: what is installed, by kind, and what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from benchbase.boards.places import LEADERBOARDS
from benchbase.cell import JSON
from benchbase.cli import options
from benchbase.cli.replayed import not_replayed
from benchbase.cli.streams import print_json
from benchbase.judging.scales import SCALES
from benchbase.plugins import KINDS, Catalogue
from benchbase.records.glimpses import glimpses
from benchbase.records.home import Home
from benchbase.running.scouting import read_installed

TITLES = {
    "weighters": "Weighters (benchbase run --plugin NAME)",
    "backbones": "Backbones (--backbone NAME)",
    "datasets": "Data sets (--dataset NAME)",
    "noises": "Kinds of label noise (--noise KIND:RATE)",
    "imbalances": "Kinds of class imbalance (--imbalance KIND:RATIO)",
    "metrics": "Metrics of plugins (in every record)",
    "executors": "Executors (--executor NAME)",
}

EPILOG = """\b
Examples:
  benchbase list                 all that is installed, and what is broken and why
  benchbase list weighters       one kind only
  benchbase list --json          the same for a program
"""


@click.command("list", epilog=EPILOG)
@click.argument("kinds", nargs=-1, type=click.Choice([*KINDS]), metavar="[KIND]...")
@options.as_json
@click.option(
    "--home",
    type=options.UserPath(file_okay=False),
    help="Folder that remembers what plugins bring [default: $BENCHBASE_HOME, else .benchbase].",
)
def list_installed(kinds: tuple[str, ...], as_json: bool, home: Path | None) -> None:
    """List what is installed, by kind; what changed is imported anew in a process of its own.

    KIND is weighters, backbones, datasets, noises, imbalances, metrics or executors.
    """
    place = Home.at(home)
    catalogue = read_installed(place)
    shown = kinds or (*KINDS,)
    changed = not_replayed(glimpses(place, LEADERBOARDS), catalogue)
    if as_json:
        print_json({**_as_json(catalogue, shown), "changed": changed}, indent=1)
    else:
        _show(catalogue, shown, changed)


def _as_json(catalogue: Catalogue, kinds: Sequence[str]) -> JSON:
    entries = [
        {
            "name": name,
            "kind": kind,
            "distribution": entry.distribution,
            "version": entry.distribution_version,
            "summary": entry.summary,
        }
        for kind in kinds
        for entry, name in zip(catalogue.of(kind), catalogue.names(kind), strict=True)
    ]
    scores = [
        {"name": name, "summary": one.meaning, "reading": one.reading, "ranks": one.ranks}
        for name, one in SCALES.items()
        if "metrics" in kinds
    ]
    broken = [
        {
            "distribution": one.distribution,
            "version": one.distribution_version,
            "reason": one.reason,
        }
        for one in catalogue.problems
    ]
    return {"plugins": entries, "scores": scores, "broken": broken}


def _show(catalogue: Catalogue, kinds: Sequence[str], changed: Sequence[str]) -> None:
    width = max((len(name) for kind in kinds for name in catalogue.names(kind)), default=0)
    for kind in kinds:
        entries = catalogue.of(kind)
        if not entries:
            continue
        click.secho(TITLES[kind], bold=True)
        for entry, name in zip(entries, catalogue.names(kind), strict=True):
            click.echo(f"  {name:<{width}}  {entry.summary}".rstrip())
        owners = sorted({f"{one.distribution} {one.distribution_version}" for one in entries})
        click.secho(f"  of {', '.join(owners)}", dim=True)
        click.echo()
    if "metrics" in kinds:
        _show_scores()
    elif not any(catalogue.of(kind) for kind in kinds):
        click.echo(f"No {' or '.join(kinds)} are installed.")
    for problem in catalogue.problems:
        click.echo(f"{click.style('broken', fg='red')}  {problem.reason}")
    for line in changed:
        click.echo(line)
    click.echo("`benchbase info NAME` explains one of them.")


def _show_scores() -> None:
    width, reach = (
        max(map(len, texts)) for texts in (SCALES, [s.reading for s in SCALES.values()])
    )
    click.secho('Scores of benchbase (* a board may rank by it: metric = "NAME")', bold=True)
    for name, scale in SCALES.items():
        star = "*" if scale.ranks else " "
        click.echo(f" {star}{name:<{width}}  {scale.reading:<{reach}}  {scale.meaning}")
    click.echo()
