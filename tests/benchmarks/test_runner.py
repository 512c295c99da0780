"""The runner against itself: two slots against one, and what judging costs."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.cell import Recipe, Scenario
from benchbase.judging import metrics
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.records.record import Cost
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.local import LocalExecutor
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings
from tests.benchmarks.scripts import figures_of
from tests.needs import need
from tests.running import TINY, make_job

CELLS = 8
ROUNDS = 3
# Long enough that a cell is training and judging, not starting.
SCENARIO = Scenario(
    dataset="nuclei", noise="symmetric", noise_options={"rate": 0.4}, recipe=Recipe(epochs=4)
)


@pytest.fixture(scope="module")
def server():
    metrics.preload()
    server = ForkServer()
    yield server
    server.close()


def jobs(cache: Path, scenario: Scenario) -> list[Job]:
    return [make_job("erm", cache, scenario, seed) for seed in range(CELLS)]


def seconds(todo: list[Job], slots: int, server: ForkServer, folder: Path) -> float:
    settings = Settings(
        folder / "work", Home(folder), 600.0, slots, provenance=gather([], "local", ())
    )
    outcomes: list[Outcome] = []
    began = time.perf_counter()
    LocalExecutor().start(server, ["cpu"] * slots).run(
        todo,
        lambda job, slot: run_cell(job, slot, settings),
        lambda job, outcome: outcomes.append(outcome),
    )
    assert [outcome.result.status for outcome in outcomes] == ["ok"] * CELLS
    return time.perf_counter() - began


def test_two_jobs_do_what_two_bare_loops_do_side_by_side(benchmark, hold, server, cache, tmp_path):
    """How much two do beside each other is the machine's: some do hardly more than one."""
    todo = jobs(cache, SCENARIO)
    for job in todo:
        job.open(None)
    gains, of_the_bare = [], []

    def alternate() -> None:
        one, two = (seconds(todo, slots, server, tmp_path) for slots in (1, 2))
        gains.append(one / two)
        of_the_bare.append(gains[-1] / figures_of("measure_two_loops.py")["gain"])

    benchmark.pedantic(alternate, rounds=ROUNDS)
    hold("two jobs to two bare loops", statistics.median(of_the_bare), 0.97, at_least=True)
    hold("two jobs to one", statistics.median(gains), 1.8, at_least=True)


@pytest.fixture
def measure_share(server, cache, tmp_path):
    """Give what runs cells of these methods and gives judging's share of their time."""

    def prepare(scenario: Scenario, rows: dict[str, int]) -> Callable[[], float]:
        todo = [make_job(name, cache, scenario) for name in rows]
        for job in todo:
            job.open(None)
        settings = Settings(
            tmp_path / "work", Home(tmp_path), 600.0, 1, provenance=gather([], "local", ())
        )

        def measure() -> float:
            costs: dict[str, Cost] = {}
            LocalExecutor().start(server, ["cpu"]).run(
                todo,
                lambda job, slot: run_cell(job, slot, settings),
                lambda job, outcome: costs.update({job.cell.weighter.name: outcome.result.cost}),
            )
            judge, total = (
                sum(count * getattr(costs[name], field) for name, count in rows.items())
                for field in ("seconds_judge", "seconds_total")
            )
            return judge / total

        return measure

    return prepare


def test_judging_is_at_most_15_percent_of_an_erm_cell(benchmark, hold, measure_share):
    """With the boards' thirty checkpoints."""
    scenario = dataclasses.replace(SCENARIO, recipe=Recipe(epochs=30))
    measure = measure_share(scenario, {"erm": 1})
    shares: list[float] = []
    benchmark.pedantic(lambda: shares.append(measure()), rounds=1)
    hold("judging, an erm cell", statistics.median(shares), 0.15)


def test_a_cell_costs_at_most_0_3_seconds_besides_training_and_judging(
    benchmark, hold, server, cache, tmp_path
):
    job = make_job("erm", cache, TINY)
    job.open(None)
    settings = Settings(tmp_path, Home(tmp_path), 60.0, 1, provenance=gather([], "local", ()))
    fixed: list[float] = []

    def cell() -> None:
        cost = run_cell(job, Slot(0, "cpu", server.start), settings).result.cost
        fixed.append(cost.seconds_total - cost.seconds_train - cost.seconds_judge)

    benchmark.pedantic(cell, rounds=3 * ROUNDS)
    hold("fixed seconds of a cell", statistics.median(fixed), 0.3)


@pytest.mark.parametrize(
    "scenario",
    [
        SCENARIO,
        dataclasses.replace(
            SCENARIO, dataset="fashion-mnist", train_size=6000, recipe=Recipe(epochs=2)
        ),
    ],
    ids=lambda scenario: scenario.dataset,
)
def test_judging_is_at_most_a_quarter_of_a_board_s_time(scenario, benchmark, hold, measure_share):
    """Of the five methods of the boards: four train at ERM's price, Meta-Weight-Net at its own.

    An ERM cell alone is above a quarter on fashion-mnist-6k, where at each epoch 11,200 images are
    judged for 6,000 trained on.
    """
    debian = Path("/usr/share/datasets/fashion-mnist")
    need("fashion-mnist", there=scenario.dataset != "fashion-mnist" or debian.exists())
    measure = measure_share(scenario, {"erm": 4, "mwnet": 1})
    shares: list[float] = []
    benchmark.pedantic(lambda: shares.append(measure()), rounds=ROUNDS)
    hold(f"judging, {scenario.dataset}", statistics.median(shares), 0.25)
