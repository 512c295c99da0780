"""Cells of real data, small enough for a test: what the runner's tests have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchbase.boards.board import Board
from benchbase.boards.plan import conditions, contestants, make_jobs
from benchbase.cell import Recipe, Scenario
from benchbase.plugins import describe, resolve_source
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.runner import Settings, run_cell

TINY = Scenario(
    dataset="nuclei",
    train_size=60,
    noise="symmetric",
    noise_rate=0.3,
    recipe=Recipe(epochs=1, batch_size=20, trusted_batch_size=10),
)


def make_job(plugin: str, cache: Path, scenario: Scenario = TINY, seed: int = 0) -> Job:
    """Plan the one cell of ``plugin`` (a selector) in ``scenario``."""
    source = resolve_source(plugin.partition("[")[0])
    entered = contestants([plugin], {source: describe(source)})
    board = Board("test", "test", (scenario,), (seed,), (plugin,), reference=plugin)
    [job] = make_jobs(conditions(board, (), cache), entered)
    return job


def run(job: Job, server: ForkServer, folder: Path, **settings: Any) -> Outcome:
    """Run one cell in processes of its own."""
    return run_cell(
        job,
        Slot(0, "cpu", server.start),
        Settings(
            **{
                "work": folder / "work",
                "logs": folder / "logs",
                "timeout": 120.0,
                "concurrent_cells": 1,
                "provenance": {},
                **settings,
            }
        ),
    )
