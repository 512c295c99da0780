"""Cells of real data, small enough for a test: what the runner's tests have in common."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from benchbase.boards.board import Board
from benchbase.boards.plan import conditions, contestants, make_jobs
from benchbase.boards.selectors import parse_selector
from benchbase.cell import Recipe, Scenario
from benchbase.data.secret import Secret
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.plugins.catalogue import describe_given, describe_installed, join
from benchbase.plugins.installed import find_installed
from benchbase.plugins.source import given_source
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings

TINY = Scenario(
    dataset="nuclei",
    train_size=60,
    noise="symmetric",
    noise_options={"rate": 0.3},
    recipe=Recipe(epochs=1, batch_size=20, trusted_batch_size=10),
)


def make_job(
    plugin: str,
    cache: Path,
    scenario: Scenario = TINY,
    seed: int = 0,
    secret: Secret | None = None,
) -> Job:
    """Plan the one cell of ``plugin`` (a selector) in ``scenario``."""
    catalogue = installed()
    selector = parse_selector(plugin)
    entered = contestants([selector], catalogue, given(plugin))
    board = Board("test", "test", (scenario,), (seed,), (selector,), reference=selector)
    planned = [(each, board.seeds) for each in entered]
    [job] = make_jobs(conditions(board, catalogue, (), cache, secret=secret), planned)
    return job


@functools.cache
def installed() -> Catalogue:
    """Tell what is installed, without a process."""
    return join([describe_installed(one) for one in find_installed()])


def given(*plugins: str) -> dict[Source, tuple[Entry, ...]]:
    """Tell what the files and modules among the selectors bring, without a process."""
    names = [plugin.partition("[")[0] for plugin in plugins]
    sources = [
        source
        for name in names
        if not installed().matching("weighters", name)
        for source in [given_source(name)]
        if source is not None
    ]
    return {source: describe_given(source) for source in sources}


def run(job: Job, server: ForkServer, folder: Path, **settings: Any) -> Outcome:
    """Run one cell in processes of its own."""
    return run_cell(
        job,
        Slot(0, "cpu", server.start),
        Settings(
            **{
                "work": folder / "work",
                "home": Home(folder),
                "timeout": 120.0,
                "concurrent_cells": 1,
                "provenance": gather([], "local", ()),
                **settings,
            }
        ),
    )
