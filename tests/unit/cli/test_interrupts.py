"""Ctrl-C in a sweep: the first drains, the second stops, and afterwards all is as before."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from benchbase.cli.interrupts import interruptible
from benchbase.running.executors.contract import Execution


class Watched(Execution):
    def __init__(self) -> None:
        self.ended = threading.Event()
        self.drained = threading.Event()
        self.stopped = threading.Event()

    def run(self, jobs, work, done):
        raise AssertionError

    def drain(self):
        self.drained.set()

    def stop(self):
        self.stopped.set()


@pytest.fixture
def handlers():
    """Give the handlers of the test run; they are to be there again in the end."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("handlers")
def test_the_first_drains_and_says_so_and_the_second_stops():
    execution, said = Watched(), threading.Event()
    with interruptible(execution, True, lambda text: said.set()) as interrupts:
        send(signal.SIGINT)
        assert execution.drained.wait(10)
        assert said.wait(10)
        assert not execution.stopped.is_set()
        send(signal.SIGINT)
        assert execution.stopped.wait(10)
    assert interrupts == [signal.SIGINT, signal.SIGINT]


@pytest.mark.usefixtures("handlers")
def test_who_ends_the_program_does_not_wait_for_cells():
    execution = Watched()
    with interruptible(execution, True, print):
        send(signal.SIGTERM)
        assert execution.stopped.wait(10)
    assert not execution.drained.is_set()


@pytest.mark.usefixtures("handlers")
def test_where_the_method_runs_in_this_thread_the_second_is_raised_in_it():
    execution = Watched()

    def interrupt_twice():
        with interruptible(execution, False, lambda text: None):
            send(signal.SIGINT)
            assert execution.drained.wait(10)
            send(signal.SIGINT)
            execution.stopped.wait(10)

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()
