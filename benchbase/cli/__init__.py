"""The command line: one module a command, imported only when its command runs.

Exit codes: 0 all ok, 1 internal error, 2 usage or a full disk, 3 some cells or checks failed, 4 a
page or a record does not follow, 5 a replay does not bear a record out or a row became worse, 130
interrupted.

Imports every room; none imports it.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

import benchbase
from benchbase.cli.streams import answer_in_json, prepare_streams
from benchbase.errors import BenchbaseError, PluginError, UsageError, is_machines_fault
from benchbase.options import unknown

FAILED = 3
INTERRUPTED = 130

COMMANDS = {
    "run": ("run:run", "Train and judge weighters, then show the leaderboard."),
    "show": ("show:command", "Show the last tables and curves again."),
    "leaderboard": ("leaderboard:leaderboard", "Rebuild the pages of leaderboards/."),
    "compare": ("compare:compare", "Compare two methods, in words with the numbers."),
    "site": ("site:site", "Write each board as an HTML page that needs nothing else."),
    "plot": ("plot:plot", "Write one figure of a board for a paper."),
    "verify": ("verify:verify", "Check pages against records, records against predictions."),
    "why": ("why:why", "Say which part of a cell's key is another one today."),
    "replay": ("replay:replay", "Train stored cells again and compare."),
    "submit": ("submit:submit", "Check, preview, replay and publish new rows of a board."),
    "published": ("published:published", "Compare a board with what others published."),
    "merge": ("merge:merge", "Bring the results of several homes together."),
    "list": ("list:list_installed", "List weighters, backbones, data sets and all that is there."),
    "data": ("data:data", "List, fetch, prepare and check data sets."),
    "info": ("info:info", "Explain one of them: what it needs, its options, how to run it."),
    "new": ("new:new", "Write a working start for a method of yours."),
    "advise": ("advise:advise", "Say which method to use on a data set, and how sure that is."),
    "suspects": ("suspects:suspects", "Rank the labels of a data set by how doubtful they are."),
    "check": ("check:check", "Check a plugin of yours against its contract."),
}
"""Command -> its module and function below this package, and the line that help shows for it."""

EPILOG = """\b
Examples:
  benchbase run                            a first leaderboard, in a few minutes
  benchbase run --plugin ./my_method.py    your method beside the reference
  benchbase info ./my_method.py            what your method's options are
  benchbase check ./my_method.py           whether it keeps the contract

\b
Environment:
  BENCHBASE_HOME       where results and caches live [default: .benchbase]
  BENCHBASE_PLUGINS    the plugin distributions to use, comma-separated [default: all]
  BENCHBASE_STRICT=1   a broken plugin ends the command, even one that is not used
  BENCHBASE_DEBUG=1    errors come with a traceback
"""


class Commands(click.Group):
    """The commands; none is imported before it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in reading order."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(
            importlib.import_module(f"benchbase.cli.{module}"), function
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; the error names the nearest ones."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UsageError(unknown("command", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [(name, text) for name, (_, text) in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(
    cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(benchbase.__version__, message="benchbase %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Compare sample-weighting methods on images with wrong labels and rare classes."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    elif os.environ.get("FORCE_COLOR"):
        ctx.color = True


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    prepare_streams()
    sys.exit(invoke(sys.argv[1:] if arguments is None else arguments))


def invoke(arguments: Sequence[str]) -> int:
    """Run the command line; every failure becomes a line on stderr and an exit code."""
    try:
        # Not `list(...)`: that name here is the command's module, once it was imported.
        with answer_in_json("--json" in arguments):
            code = cli.main(
                [*arguments] or ["--help"], prog_name="benchbase", standalone_mode=False
            )
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except BenchbaseError as error:
        _complain("error", error)
        # A full disk is the user's to mend, as a wrong name is.
        is_users = isinstance(error, UsageError | PluginError) or is_machines_fault(error)
        return 2 if is_users else 1
    except Exception as error:  # noqa: BLE001 - the last place to turn it into a message
        _complain(f"internal error: {type(error).__name__}", error)
        if not _is_debugging():
            click.echo("BENCHBASE_DEBUG=1 shows where it was raised", err=True)
        return 1
    return code if isinstance(code, int) else 0


def _complain(what: str, error: Exception) -> None:
    if _is_debugging():
        traceback.print_exception(error)
    click.echo(f"benchbase: {what}: {error}", err=True)


def _is_debugging() -> bool:
    return os.environ.get("BENCHBASE_DEBUG", "") not in ("", "0")
