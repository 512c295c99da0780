"""What an executor is given and what it owes: every job run once, every outcome reported."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from numpy.typing import NDArray

from benchbase.cell import Cell
from benchbase.data.opening import Opened
from benchbase.plugins import Entry
from benchbase.records.record import Result
from benchbase.running.channel import Channel
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.limits import Excess
from benchbase.running.executors.sandbox import Shown


@dataclass(frozen=True)
class Job:
    """A cell, and what this machine needs to run it."""

    cell: Cell
    weighter: Entry
    backbone: Entry
    open: Callable[[Path | None], Opened]
    """Opens the scenario at the cell's seed; called in the parent.

    It is told where data are decoded; None: where they were when the cell was planned.
    """


@dataclass(frozen=True)
class Outcome:
    """What a job came to."""

    result: Result
    predictions: dict[str, NDArray[Any]] = field(default_factory=dict)


@runtime_checkable
class ChildProcess(Protocol):
    """A role's process, or its stand-in within this one."""

    channel: Channel
    excess: Excess | None
    """What it was ended for using; None where it was not."""

    def exit_code(self, timeout: float) -> int | None:
        """Wait for the end; None means still running, a negative code is a signal."""

    def kill(self) -> None:
        """End it."""


@dataclass(frozen=True)
class Slot:
    """A place for one running cell."""

    index: int
    device: str
    start: Callable[[str, Path, Shown], ChildProcess]
    """Start ``module.main(channel)`` with its output in the log; what it works with is shown."""
    elsewhere: Callable[[Job, Slot, Any], Outcome | None] | None = None
    """Runs a whole cell with the run's settings on another machine; None: cells run on this one."""


Work = Callable[[Job, Slot], Outcome | None]
"""Runs one job in a slot; None where somebody else runs it, or has run it."""
Done = Callable[[Job, Outcome | None], None]
"""Hears what a job came to."""


class Execution(ABC):
    """One sweep of an executor."""

    ended: threading.Event
    """Set once it drains or stops: nothing more is to be started."""

    @abstractmethod
    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run ``work`` once for each job and hand what it gives to ``done``, one at a time.

        Returns when all are done, or drained, or stopped; may be called again with other jobs.
        """

    @abstractmethod
    def drain(self) -> None:
        """Start no more jobs; those in flight go on. Called from another thread."""

    @abstractmethod
    def stop(self) -> None:
        """End the jobs in flight; their outcomes are dropped. Called from another thread."""


class Executor(ABC):
    """A way to run the cells of a sweep; a frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    trusted: ClassVar[bool] = True
    """Whether methods train in processes that have never held the truth."""

    def devices(self, asked: str, jobs: int | None) -> Sequence[str] | None:
        """Give one device for each cell at a time; None: this machine's cores or GPUs.

        ``asked`` is ``auto``, ``cpu`` or ``cuda``; ``jobs`` how many cells at a time.

        Raises:
            UsageError: there is no such device.
        """
        return None

    @abstractmethod
    def start(self, server: ForkServer, devices: Sequence[str]) -> Execution:
        """Begin one sweep, with one device (``cpu``, ``cuda:1``) for each cell at a time."""
