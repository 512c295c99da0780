"""What an executor may do wrong, and how it is told."""

from __future__ import annotations

import threading

import pytest

from benchbase.errors import ContractError, PluginError
from benchbase.running.executors.contract import Execution, Executor, Slot
from benchbase.running.executors.guarded import begin
from tests.unit.jobs import NoServer, make_job

SLOT = Slot(0, "cpu", print)
JOBS = [make_job("any", seed) for seed in range(3)]


class Played(Execution):
    def __init__(self, play):
        self.play = play
        self.ended = threading.Event()

    def run(self, jobs, work, done):
        self.play(jobs, work, done)

    def drain(self):
        self.ended.set()

    def stop(self):
        self.ended.set()


def begun(start):
    executor = type("Made", (Executor,), {"name": "made", "start": lambda self, *_: start()})()
    return begin(executor, NoServer(), ["cpu"])


def run(play, work=lambda job, slot: None, done=lambda job, outcome: None):
    execution = begun(lambda: Played(play))
    execution.run(JOBS, work, done)
    return execution


def in_turn(jobs, work, done):
    for job in jobs:
        done(job, work(job, SLOT))


def test_what_is_no_execution_is_told() -> None:
    with pytest.raises(ContractError, match="executor 'made': start gave NoneType, expected an Ex"):
        begun(lambda: None)
    with pytest.raises(ContractError, match=r"has no `ended`: write .*threading\.Event"):
        begun(lambda: object.__new__(Played))
    with pytest.raises(PluginError, match=r"executor 'made' raised ZeroDivisionError.*guarded"):
        begun(lambda: 1 // 0)


def test_a_sound_executor_is_left_alone() -> None:
    seen = []
    execution = run(in_turn, done=lambda job, outcome: seen.append(job))
    assert seen == JOBS
    execution.drain()
    assert execution.ended.is_set()


def test_jobs_that_are_left_out_or_done_twice_are_told() -> None:
    with pytest.raises(ContractError, match="came back with 2 of 3 jobs not done"):
        run(lambda jobs, work, done: in_turn(jobs[:1], work, done))
    with pytest.raises(ContractError, match="reported a job twice"):
        run(lambda jobs, work, done: in_turn([*jobs, jobs[0]], work, done))


def test_what_benchbase_itself_raises_is_not_the_executor_s() -> None:
    def odd(job, slot):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(in_turn, work=odd)
    with pytest.raises(PluginError, match="executor 'made' raised ZeroDivisionError"):
        run(lambda jobs, work, done: 1 // 0)
