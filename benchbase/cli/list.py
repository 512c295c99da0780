"""``benchbase list``: what is installed, by kind, and whether it works."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from benchbase.errors import PluginError
from benchbase.plugins import KINDS, Found, load
from benchbase.plugins.discovery import find_all, reachable_names
from benchbase.plugins.loading import is_strict, load_command
from benchbase.plugins.verdicts import key_of, recall, record
from benchbase.records.store import default_home

TITLES = {
    "weighters": "Weighters (benchbase run --plugin NAME)",
    "backbones": "Backbones (--backbone NAME)",
    "datasets": "Data sets (--dataset NAME)",
    "corruptions": "Noise and imbalance kinds (--noise KIND:RATE or --imbalance KIND:RATIO)",
    "metrics": "Metrics beyond those of every record",
    "executors": "Executors",
    "commands": "Commands",
}

EPILOG = """\b
Examples:
  benchbase list                 names, and what the last check said of each
  benchbase list weighters       one kind only
  benchbase list --check         import everything now; say what is broken and why
  benchbase list --json          the same for a program
"""


@dataclass(frozen=True)
class Line:
    """One installed thing."""

    name: str
    """As it is asked for: ``distribution:name`` where two distributions share the name."""
    kind: str
    distribution: str
    version: str
    module: str
    status: str
    """``ok``, ``broken`` or ``not checked``."""
    reason: str = ""


@click.command("list", epilog=EPILOG)
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS), metavar="[KIND]...")
@click.option("--check", is_flag=True, help="Import everything now and say what is broken.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps the last check [default: $BENCHBASE_HOME, else .benchbase].",
)
def list_installed(kinds: tuple[str, ...], check: bool, as_json: bool, home: Path | None) -> None:
    """List what is installed, by kind, without importing it.

    KIND is weighters, backbones, datasets, corruptions, metrics, executors or commands.
    """
    home = home or default_home()
    shown = kinds or KINDS
    installed = find_all()
    verdicts = _check(installed, home) if check else recall(home)
    lines = [
        _line(found, name, verdicts)
        for kind in shown
        for found, name in zip(installed[kind], reachable_names(installed[kind]), strict=True)
    ]
    if as_json:
        click.echo(json.dumps({"plugins": [dataclasses.asdict(line) for line in lines]}, indent=1))
    else:
        _show(lines)


def _check(installed: Mapping[str, list[Found]], home: Path) -> dict[str, str]:
    verdicts = {key_of(one): _verdict(one) for found in installed.values() for one in found}
    try:
        record(home, verdicts)
    except OSError as error:
        click.echo(f"the check is not kept: {home}: {error.strerror}", err=True)
    return verdicts


def _verdict(found: Found) -> str:
    try:
        if found.kind == "commands":
            load_command(found)
        else:
            load(found)
    except PluginError as error:
        if is_strict():
            raise
        return str(error)
    return ""


def _line(found: Found, name: str, verdicts: Mapping[str, str]) -> Line:
    reason = verdicts.get(key_of(found))
    status = "not checked" if reason is None else "broken" if reason else "ok"
    return Line(
        name=name,
        kind=found.kind,
        distribution=found.distribution,
        version=found.version,
        module=found.module,
        status=status,
        reason=reason or "",
    )


def _show(lines: list[Line]) -> None:
    width = max((len(line.name) for line in lines), default=0)
    owner_width = max((len(f"{line.distribution} {line.version}") for line in lines), default=0)
    colours = {"ok": "green", "broken": "red", "not checked": None}
    for kind in dict.fromkeys(line.kind for line in lines):
        click.secho(TITLES[kind], bold=True)
        for line in lines:
            if line.kind == kind:
                owner = f"{line.distribution} {line.version}"
                status = click.style(line.status, fg=colours[line.status])
                click.echo(f"  {line.name:<{width}}  {owner:<{owner_width}}  {status}")
                if line.reason:
                    click.echo(f"      {line.reason}")
        click.echo()
    if any(line.status == "not checked" for line in lines):
        click.echo("`benchbase list --check` imports them and says what is broken and why.")
    click.echo("`benchbase info NAME` explains one of them.")
