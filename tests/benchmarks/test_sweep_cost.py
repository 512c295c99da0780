"""What the scheduler itself costs: a thousand cells that do nothing, and workers of no time."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from benchbase.judging import metrics
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.benchmarks.protocol_costs import spread
from tests.benchmarks.simulated import simulate
from tests.unit.jobs import make_job

FIXED_SECONDS = 0.3
"""What the shortest cell takes: the scheduler may take a twentieth of it."""
A_RECORD = 64
"""Kilobytes that one record of a real cell may hold: results stay in memory until the table."""


def resident() -> int:
    """Give the memory of this process now, in kilobytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read in /proc")
@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
def test_a_thousand_cells_take_flat_memory_and_a_twentieth_of_the_shortest(
    benchmark, hold, tmp_path
):
    metrics.preload()  # what the sweep does beside the first cell
    jobs = [make_job(f"method-{index % 20}", seed=index // 20) for index in range(1000)]
    memory: list[int] = []
    seconds: list[float] = []

    def sweep_all() -> None:
        before = time.process_time()
        _, tally = simulate(
            jobs, lambda job: 1.0, 4, tmp_path, finished=lambda: memory.append(resident())
        )
        seconds.append((time.process_time() - before) / len(jobs))
        assert len(tally.records) == len(jobs)

    benchmark.pedantic(sweep_all, rounds=1)
    assert len(Store(Home(tmp_path)).records()) == len(jobs)
    assert not list((tmp_path / "leases").iterdir())
    if benchmark.enabled:
        hold("scheduler's processor time / shortest cell", seconds[0] / FIXED_SECONDS, 0.05)
        grown = (memory[-1] - memory[200]) / 800
        hold("kilobytes kept a cell", grown, A_RECORD)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_sweep_spreads_as_far_as_its_longest_cell_lets_it(workers, tmp_path):
    jobs = [make_job(f"method-{index % 5}", seed=index // 5) for index in range(40)]
    took = {job.cell.key: 1.0 + 3.0 * (index % 5) for index, job in enumerate(jobs)}
    makespan, tally = simulate(jobs, lambda job: took[job.cell.key], workers, tmp_path)
    assert {record.status for record in tally.records.values()} == {"ok"}
    assert len(tally.records) == 40
    total = sum(took.values())
    assert total / workers <= makespan < total / workers + max(took.values())
    if workers == 1:
        assert makespan == pytest.approx(total)


def test_the_table_of_the_page_on_costs_is_made_with_recorded_costs(tmp_path):
    lines = spread(cells=190, folder=tmp_path)
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["1", "8", "64"]
