"""``benchbase check``: run the conformance checks on a weighter."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

import click

from benchbase.boards.selectors import parse_selector
from benchbase.cli import FAILED
from benchbase.cli.streams import print_json
from benchbase.errors import UsageError
from benchbase.plugins.catalogue import describe_given, describe_installed, join
from benchbase.plugins.installed import find_installed
from benchbase.plugins.source import given_source

if TYPE_CHECKING:
    from benchbase.api import Weighter

EPILOG = """\b
Examples:
  benchbase check ./my_method.py      every weighter of a file
  benchbase check my_package.method   every weighter of a module
  benchbase check NAME                an installed one

\b
Exit codes: 0 all checks passed, 2 it does not load, 3 some checks failed.
BENCHBASE_DEBUG=1 prints the traceback of each failed check.
"""


@click.command(epilog=EPILOG)
@click.argument("name", metavar="NAME|FILE.py|MODULE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def check(name: str, as_json: bool) -> int:
    """Check a weighter against the contract, on small synthetic images and with default options.

    It takes seconds, needs no data, and covers what a run would stumble over later.
    """
    selector = parse_selector(name)
    if selector.options:
        raise UsageError(
            f"the checks take default options: write benchbase check {selector.target}"
        )
    weighters = _load(selector.target)
    # Imported after the plugin proved to load: these are what takes the seconds.
    from benchbase.running.trainer import prepare_device
    from benchbase.testing.conformance import run_checks

    prepare_device("cpu")
    results = []
    for weighter in weighters:
        seen: set[str] = set()
        for outcome in run_checks(weighter):
            reason = None
            if outcome.error is not None:
                reason = f"{type(outcome.error).__name__}: {outcome.error}"
                if os.environ.get("BENCHBASE_DEBUG"):
                    traceback.print_exception(outcome.error)
            entry = {"weighter": weighter.name, "check": outcome.check.name, "reason": reason}
            results.append(entry)
            if not as_json:
                _show(weighter.name, outcome.check.title, reason, known=reason in seen)
            if reason is not None:
                seen.add(reason)
    failed = sum(entry["reason"] is not None for entry in results)
    if as_json:
        print_json({"passed": len(results) - failed, "failed": failed, "checks": results})
    else:
        click.echo(f"{len(results) - failed} of {len(results)} checks passed")
    return FAILED if failed else 0


def _load(name: str) -> list[type[Weighter]]:
    """Load the weighters that a name, file or module means, in this process."""
    source = given_source(name)
    if source is not None:
        return [entry.load() for entry in describe_given(source)]
    catalogue = join([describe_installed(one) for one in find_installed()])
    return [catalogue.find("weighters", name).load()]


def _show(weighter: str, title: str, reason: str | None, *, known: bool) -> None:
    mark = click.style("ok    ", fg="green") if reason is None else click.style("FAILED", fg="red")
    click.echo(f"{mark}  {weighter}  {title}")
    if reason is not None:
        click.echo("        as above" if known else f"        {reason}")
