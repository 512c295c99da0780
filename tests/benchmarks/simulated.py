"""Workers that take no time: the real scheduler, by a clock that waits for nobody."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from benchbase.boards.plan import Plan
from benchbase.records.home import Home
from benchbase.records.store import Store
from benchbase.running.executors.contract import Done, Execution, Job, Outcome, Slot, Work
from benchbase.running.settings import Settings
from benchbase.running.sweep import Tally, sweep
from tests.unit.made_records import PROVENANCE, make_result


class Simulated(Execution):
    """Gives each job to the worker that is free first, for as long as the job is said to take."""

    def __init__(self, workers: int, seconds: Callable[[Job], float]) -> None:
        self.ended = threading.Event()
        self._seconds = seconds
        self._free = [(0.0, index) for index in range(workers)]
        """When each worker is free."""

    @property
    def makespan(self) -> float:
        """Seconds until the last worker was free."""
        return max(at for at, _ in self._free)

    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run all jobs at once; only the workers' clocks go on."""
        for job in jobs:
            at, index = heapq.heappop(self._free)
            outcome = work(job, Slot(index, "cpu", _never, _at_once))
            heapq.heappush(self._free, (at + self._seconds(job), index))
            done(job, outcome)

    def drain(self) -> None:
        """Do nothing: nobody interrupts a simulation."""

    def stop(self) -> None:
        """Do nothing: nobody interrupts a simulation."""


def simulate(
    jobs: Sequence[Job],
    seconds: Callable[[Job], float],
    workers: int,
    folder: Path,
    finished: Callable[[], None] = lambda: None,
) -> tuple[float, Tally]:
    """Sweep jobs into a home in ``folder``; give the makespan in seconds and the tally."""
    execution = Simulated(workers, seconds)
    home = Home(folder)
    tally = sweep(
        Plan(tuple(jobs), {}),
        execution,
        Settings(
            folder / "work", home, timeout=1.0, concurrent_cells=workers, provenance=PROVENANCE
        ),
        Store(home),
        started=lambda job: None,
        finished=lambda job, record: finished(),
    )
    return execution.makespan, tally


def _at_once(job: Job, slot: Slot, settings: Settings) -> Outcome:
    return Outcome(make_result())


def _never(*_: object) -> None:
    raise AssertionError("no process is started")
