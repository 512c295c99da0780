"""Options that several commands have: one spelling, one help."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(file_okay=False, path_type=Path)

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
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to look for data files in; repeatable.",
)
secret = click.option(
    "--secret",
    type=click.Path(path_type=Path),
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
