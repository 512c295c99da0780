from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from benchbase.running.executors.local import LocalExecutor
from tests.unit.jobs import NoServer, make_job


def jobs(count: int) -> list:
    return [make_job("any", seed) for seed in range(count)]


def number(job) -> int:
    return job.cell.seed


def make(slots: int) -> Any:
    return LocalExecutor().start(NoServer(), ["cpu"] * slots)


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_every_job_is_run_once_and_reported_in_the_callers_thread(slots):
    done: dict[int, int] = {}
    threads = set()

    def report(job, outcome):
        threads.add(threading.current_thread())
        done[number(job)] = outcome

    make(slots).run(jobs(20), lambda job, slot: number(job) ** 2, report)
    assert done == {job: job * job for job in range(20)}
    assert threads == {threading.current_thread()}


def test_slots_work_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)
    make(3).run(jobs(3), lambda job, slot: barrier.wait(), lambda job, outcome: None)


def test_the_server_s_start_up_is_over_before_a_cell_s_clock_runs():
    said = []

    class Slow(NoServer):
        def wait_until_ready(self):
            time.sleep(0.05)
            said.append("ready")

    execution = LocalExecutor().start(Slow(), ["cpu"])
    execution.run(jobs(2), lambda job, slot: said.append(number(job)), lambda job, outcome: None)
    assert said == ["ready", 0, 1]


def test_draining_starts_no_more_jobs_and_finishes_those_in_flight():
    executor = make(1)
    done = []

    def work(job, slot):
        if number(job) == 2:
            executor.drain()
        return job

    executor.run(jobs(10), work, lambda job, outcome: done.append(number(job)))
    assert done == [0, 1, 2]
    assert not executor.server.closed


def test_stopping_drops_what_is_in_flight_and_ends_every_process():
    executor = make(1)
    done = []

    def work(job, slot):
        if number(job) == 2:
            executor.stop()
        return job

    executor.run(jobs(10), work, lambda job, outcome: done.append(number(job)))
    assert done == [0, 1]
    assert executor.server.closed


def test_an_error_of_the_harness_itself_is_raised_in_the_callers_thread():
    def work(job, slot):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(2).run(jobs(4), work, lambda job, outcome: None)
