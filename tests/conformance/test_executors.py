"""The checks of executors: what is ours passes, and each finds what it is for."""

from __future__ import annotations

import threading
from typing import Any

from benchbase.running.executors.contract import Execution, Executor, Slot
from benchbase.running.executors.inline import InlineExecutor
from benchbase.running.executors.local import LocalExecutor
from benchbase.testing.conformance import check_plugin, parametrize_with_checks
from tests.conformance.finding import check_finds, each_of, names_of_checks


@parametrize_with_checks([LocalExecutor, InlineExecutor])
def test_our_executors_keep_the_contract(executor, check) -> None:
    check(executor)


class InTurn(Executor):
    """Runs jobs by a function, in the thread that asks."""

    name = "in-turn"

    def start(self, server, devices) -> Any:
        return Turns(self, devices)

    def each(self, execution, job, work, done):
        done(job, work(job, execution.slot))


class Turns(Execution):
    def __init__(self, executor, devices):
        self.executor, self.slot = executor, Slot(0, devices[0], print)
        self.ended = threading.Event()

    def run(self, jobs, work, done):
        for job in jobs:
            if self.ended.is_set():
                break
            self.executor.each(self, job, work, done)

    def drain(self):
        self.ended.set()

    def stop(self):
        self.ended.set()


class Forgets(InTurn):
    def each(self, execution, job, work, done):
        work(job, execution.slot)


class AllAtOnce(Turns):
    def run(self, jobs, work, done):
        failed = []

        def one(job):
            try:
                done(job, work(job, self.slot))
            except Exception as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=one, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]


class HandsInAtOnce(InTurn):
    def start(self, server, devices):
        return AllAtOnce(self, devices)


class GivesUp(InTurn):
    def each(self, execution, job, work, done):
        outcome = work(job, execution.slot)
        if outcome is None:
            raise RuntimeError("nothing came of it")
        done(job, outcome)


class Deaf(InTurn):
    def each(self, execution, job, work, done):
        super().each(execution, job, work, done)
        execution.ended.clear()


class Swallows(InTurn):
    def each(self, execution, job, work, done):
        try:
            outcome = work(job, execution.slot)
        except KeyError:
            outcome = None
        done(job, outcome)


BROKEN = [
    ("hands_in_what_each_job_comes_to", Forgets, "6 of 6 jobs not done"),
    ("hands_in_one_at_a_time", HandsInAtOnce, "another call of it was still going on"),
    ("goes_on_after_a_job_that_came_to_nothing", GivesUp, "raised RuntimeError: nothing came"),
    ("starts_nothing_more_once_it_drains", Deaf, "its `ended` is not set"),
    ("passes_on_what_benchbase_raises", Swallows, "was swallowed"),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(InTurn)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("executors")
