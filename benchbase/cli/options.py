"""Options that several commands have: one spelling, one help."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchbase.data.own import LARGEST, SMALLEST

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A time such as 90s, 10m or 1.5h, in seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value))
        if not found or not float(found[1]):
            self.fail(f"{value!r}: expected a time such as 90s, 10m or 1.5h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


class UserPath(click.Path):
    """A path whose ~ is the user's folder, also behind --out=, where no shell replaces it."""

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True
    ) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Replace ~, but for that of a user who is not known, and check the path."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111


_FOLDER = UserPath(file_okay=False)

home = click.option(
    "--home",
    type=_FOLDER,
    help="Folder for results and caches [default: $BENCHBASE_HOME, else .benchbase].",
)
home_of_results = click.option(
    "--home",
    type=_FOLDER,
    help="Folder of the results [default: $BENCHBASE_HOME, else .benchbase].",
)
data_roots = click.option(
    "--data-root",
    "roots",
    multiple=True,
    type=UserPath(exists=True, file_okay=False),
    help="Folder to look for data files in; repeatable.",
)
sandbox = click.option(
    "--sandbox",
    type=click.Choice(["bwrap"]),
    help="Keep methods from the network and all files but their task (Linux, CPU; 2 to 4 s for "
    "each process).",
)
secret = click.option(
    "--secret",
    type=UserPath(),
    metavar="FILE",
    help="File with the secret that split and noise are drawn with.",
)
device = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
jobs = click.option(
    "--jobs", type=click.IntRange(min=1), help="Cells at a time [default: cores or GPUs]."
)
timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1e8),
    default=3600.0,
    show_default=True,
    help="Seconds that a cell may take.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
trusted = click.option(
    "--trusted",
    metavar="FILE.csv|COLUMN",
    help="Rows of your own images whose labels somebody verified: methods that need clean labels "
    "get those in training (track TV), those in test judge.",
)
split = click.option(
    "--split",
    type=UserPath(exists=True, dir_okay=False),
    metavar="FILE.csv",
    help="Which of your own images train, validate and test: columns image and split.",
)


size = click.option(
    "--size",
    type=click.IntRange(SMALLEST, LARGEST),
    help="Pixels a side of your own images, such as 32, 64, 96 or 224.",
)
backbone = click.option(
    "--backbone", metavar="NAME", help="Network (see `benchbase list`), as name[option=value]."
)


def budget(default: str, help_text: str) -> Callable[[Any], Any]:
    """Give the option that says how long a command may take."""
    return click.option(
        "--budget", type=Duration(), default=default, show_default=True, help=help_text
    )
