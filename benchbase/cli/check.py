"""``benchbase check``: run the conformance checks on a plugin of any kind."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbase.boards.selectors import looks_like_path, parse_selector
from benchbase.cli import FAILED, options
from benchbase.cli.streams import print_json
from benchbase.errors import UsageError
from benchbase.kit import devices
from benchbase.plugins import KINDS, Catalogue, Entry
from benchbase.plugins.catalogue import describe_all, describe_given
from benchbase.plugins.source import given_source

if TYPE_CHECKING:
    from benchbase.testing.conformance import Outcome

EPILOG = """\b
Examples:
  benchbase check ./my_method.py      everything in a file
  benchbase check my_package.method   everything in a module
  benchbase check NAME                an installed one, of any kind

\b
Exit codes: 0 all checks passed, 2 it does not load, 3 some checks failed.
BENCHBASE_DEBUG=1 prints the traceback of each failed check.
"""
OWN_NAME = "has a name of its own"


@click.command(epilog=EPILOG)
@click.argument("name", metavar="NAME|FILE.py|MODULE")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds that a single check may take.",
)
@click.option(
    "--data-root",
    "roots",
    multiple=True,
    type=options.UserPath(file_okay=False),
    help="Folder where a data set finds its files; may be repeated.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show what the plugin prints in each check.")
@options.as_json
def check(
    name: str, time_limit: float, roots: tuple[Path, ...], *, verbose: bool, as_json: bool
) -> int:
    """Check a plugin of any kind against its contract, with default options.

    It takes seconds and covers what a run would stumble over later. A weighter is shown small
    synthetic images; a data set is loaded from its own files.
    """
    selector = parse_selector(name)
    if selector.options:
        raise UsageError(
            f"the checks take default options: write benchbase check {selector.target}"
        )
    catalogue = describe_all()
    entries = _find(selector.target, catalogue)
    classes = [entry.load() for entry in entries]
    # Imported after the plugin proved to load: these are what takes the seconds.
    from benchbase.testing.conformance import checks_for, run_checks

    devices.prepare("cpu")
    results: list[dict[str, Any]] = []
    not_run = 0
    for entry, cls in zip(entries, classes, strict=True):
        shown = Shown(entry, cls, verbose=verbose, as_json=as_json)
        shown.add(OWN_NAME, _name_is_taken(entry, cls, catalogue))
        given = (roots,) if entry.kind == "datasets" else ()
        left = len([*checks_for(cls)])
        for outcome in run_checks(cls, *given, seconds=time_limit):
            shown.add_outcome(outcome)
            left -= 1
        if left and not as_json:
            click.echo(f"not run  {entry.name}  {left} more checks, which hang on this one")
        not_run += left
        results += shown.results
    failed = sum(one["reason"] is not None for one in results)
    skipped = sum(one["skipped"] is not None for one in results)
    passed = len(results) - failed - skipped
    if as_json:
        counts = {"passed": passed, "failed": failed, "skipped": skipped, "not_run": not_run}
        print_json({**counts, "checks": results})
    else:
        left_out = f", {skipped} skipped" if skipped else ""
        click.echo(f"{passed} of {passed + failed + not_run} checks passed{left_out}")
    return FAILED if failed else 0


class Shown:
    """Writes a line a check, and keeps what came of each."""

    def __init__(self, entry: Entry, cls: type[Any], *, verbose: bool, as_json: bool) -> None:
        self.results: list[dict[str, Any]] = []
        self._entry = entry
        self._cls = cls
        self._verbose = verbose
        self._as_json = as_json
        self._seen: set[str] = set()

    def add_outcome(self, outcome: Outcome) -> None:
        """Take in what a check came to."""
        from benchbase.testing.telling import tell

        reason = None
        if outcome.error is not None:
            reason = tell(outcome.error, self._cls)
            if os.environ.get("BENCHBASE_DEBUG"):
                traceback.print_exception(outcome.error)
        check = outcome.check
        self.add(check.title, reason, check.name, outcome.printed, skipped=outcome.skipped)

    def add(
        self,
        title: str,
        reason: str | None,
        check: str = "",
        printed: str = "",
        *,
        skipped: str | None = None,
    ) -> None:
        """Take in a verdict; ``reason`` is None where the check passed or was skipped."""
        kind, name = KINDS[self._entry.kind].thing, self._entry.name
        check = check or title.replace(" ", "_")
        self.results.append(
            {"kind": kind, "name": name, "check": check, "reason": reason, "skipped": skipped}
        )
        if self._as_json:
            return
        if skipped is not None:
            click.echo(f"skipped  {name}  {title}: {skipped}")
        elif reason is None:
            click.echo(f"{click.style('ok    ', fg='green')}  {name}  {title}")
        else:
            again = "  (as above)" if reason in self._seen else ""
            click.echo(f"{click.style('FAILED', fg='red')}  {name}  {title}{again}")
            if not again:
                _indented(reason)
            self._seen.add(reason)
        if printed and (self._verbose or reason is not None):
            click.echo("        it printed:")
            _indented(printed[-2000:], "        | ")


def _indented(text: str, indent: str = "        ") -> None:
    for line in text.rstrip().splitlines():
        click.echo(f"{indent}{line}")


def _find(name: str, catalogue: Catalogue) -> list[Entry]:
    """Find what a name, file or module means, of every kind.

    Raises:
        UsageError: nothing has that name; the error names the nearest.
        PluginError: a file or module does not load, or holds nothing of benchbase's.
    """
    if not looks_like_path(name) and (found := catalogue.of_any_kind(name)):
        return found
    source = given_source(name)
    if source is None:
        raise catalogue.nowhere(name)
    return [*describe_given(source, (*KINDS,))]


def _name_is_taken(entry: Entry, cls: type[Any], catalogue: Catalogue) -> str | None:
    """Say who else brings something of this kind and name, and what to do."""
    for other in catalogue.matching(entry.kind, entry.name):
        if _file_of(other.load()) != _file_of(cls):
            return (
                f"{other.distribution} has one of the {entry.kind} called {entry.name!r} as well, "
                "and a run would refuse to mix the two: rename yours, "
                f'`name = "my-{entry.name}"`'
            )
    return None


def _file_of(cls: type[Any]) -> Path:
    return Path(sys.modules[cls.__module__].__file__ or "").resolve()
