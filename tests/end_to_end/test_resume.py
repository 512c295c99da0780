"""Cells whose trainer is killed again and again end bit for bit as undisturbed ones."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchbase.cell import Recipe
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.running.executors.child import Child
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.sandbox import Shown
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings
from benchbase.seeding import numpy_stream
from tests.running import TINY, installed, make_job


def end(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.kill(process, signal.SIGKILL)


def live(
    job: Job, server: ForkServer, folder: Path, killed_at: tuple[int, float] | None
) -> Outcome:
    """Run a cell; kill its trainer some seconds after so many checkpoints of this life."""
    trainers: list[Child] = []
    left = killed_at[0] if killed_at else -1

    def start(module: str, log: Path, shown: Shown) -> Child:
        child = server.start(module, log, shown)
        if module.endswith("trainer"):
            trainers.append(child)
            count_down()
        return child

    def count_down(*_: object) -> None:
        nonlocal left
        left -= 1
        if killed_at and left == -1:
            threading.Timer(killed_at[1], end, (trainers[-1].pid,)).start()

    settings = Settings(
        folder / "work",
        Home(folder),
        timeout=300.0,
        concurrent_cells=1,
        provenance=gather([], "local", ()),
        snapshot_every=0.0,
        heard=count_down,
    )
    return run_cell(job, Slot(0, "cpu", start), settings)


def come_to(outcome: Outcome) -> dict[str, object]:
    """Give all of a result that is not about time."""
    result = msgspec.to_builtins(outcome.result)
    for gone in ("provenance", "numerics"):
        del result[gone]
    cost = result.pop("cost")
    counted = ("images_forwarded", "images_backpropagated", "images_judged", "labels_bought")
    return {**result, **{name: cost[name] for name in counted}}


def resumes(
    plugin: str,
    server: ForkServer,
    cache: Path,
    folder: Path,
    kills: Sequence[tuple[int, float]],
    *,
    epochs: int = 12,
) -> int:
    """Compare an undisturbed cell with one that is killed; give how many kills met it."""
    recipe = Recipe(epochs=epochs, batch_size=20, trusted_batch_size=10)
    job = make_job(plugin, cache, dataclasses.replace(TINY, label_budget=8, recipe=recipe))
    whole = live(job, server, folder / "whole", None)
    assert whole.result.status == "ok", whole.result.reason
    met = 0
    for kill in [*kills, None]:
        outcome = live(job, server, folder / "killed", kill)
        if outcome.result.status == "ok":
            break
        assert outcome.result.status == "killed", outcome.result.reason
        met += 1
    assert come_to(outcome) == come_to(whole)
    for name, values in whole.predictions.items():
        np.testing.assert_array_equal(outcome.predictions[name], values, strict=True)
    log = Home(folder / "killed").log(job.cell.key).read_text()
    assert "begins anew" not in log
    assert "no snapshots" not in log
    return met


@pytest.mark.slow
@pytest.mark.parametrize(
    "plugin", ["elr", "mwnet", "vog-active", pytest.param("dsr-pgc", marks=pytest.mark.rare)]
)
def test_a_cell_that_is_killed_three_times_ends_the_same(plugin, server, cache, tmp_path):
    delays = numpy_stream(0, "kills", plugin).uniform(0, 0.03, 3)
    assert resumes(plugin, server, cache, tmp_path, [(2, delay) for delay in delays]) == 3


@pytest.mark.slow
@pytest.mark.rare
@pytest.mark.parametrize("plugin", [one.name for one in installed().of("weighters")])
def test_every_weighter_of_ours_ends_the_same_however_often_it_is_killed(
    plugin, server, cache, tmp_path
):
    seed, kills = secrets.randbelow(10_000), int(os.environ.get("BENCHBASE_KILLS", "3"))
    print(f"seed {seed}")
    delays = numpy_stream(seed, "kills", plugin).uniform(0, 0.03, kills)
    planned = [(2, float(delay)) for delay in delays]
    met = resumes(plugin, server, cache, tmp_path, planned, epochs=max(12, kills + 4))
    print(f"{plugin}: {met} kills, the same bits")
    assert met == kills
