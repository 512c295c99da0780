"""Runs cells one by one in this process, for debugging: prints show, ``breakpoint()`` works.

The weighter trains in the main thread; the parent's part of the protocol and the predictor run in
threads. Whatever the plugin does, it does in the process that knows the truth: results are marked
untrusted.
"""

from __future__ import annotations

import importlib
import queue
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase.running.channel import Channel
from benchbase.running.executors.contract import Done, Execution, Executor, Job, Outcome, Slot, Work
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.limits import Excess
from benchbase.running.executors.sandbox import Shown

TRAINER = "benchbase.running.trainer"


class _Role:
    """Stands in for a child process; it cannot be killed, only cut off."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.excess: Excess | None = None
        self.ended: Future[int] = Future()

    def exit_code(self, timeout: float) -> int | None:
        try:
            return self.ended.result(timeout)
        except TimeoutError:
            return None

    def kill(self) -> None:
        self.channel.close()


@dataclass(frozen=True)
class InlineExecutor(Executor):
    """One cell at a time in this process, for debugging; results are untrusted."""

    name: ClassVar[str] = "inline"
    trusted: ClassVar[bool] = False

    def start(self, server: ForkServer, devices: Sequence[str]) -> Execution:
        """Begin a sweep on the first device; no process is started."""
        return _InlineExecution(devices[0])


class _InlineExecution(Execution):
    """The trainer's part runs in the main thread, all else in others."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.ended = threading.Event()

    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run the jobs in order."""
        for job in jobs:
            if self.ended.is_set():
                return
            done(job, self._run_one(job, work))

    def _run_one(self, job: Job, work: Work) -> Outcome | None:
        trainers: queue.SimpleQueue[tuple[_Role, Channel] | None] = queue.SimpleQueue()

        def play(role: _Role, theirs: Channel, module: str) -> None:
            try:
                importlib.import_module(module).main(theirs)
                role.ended.set_result(0)
            except SystemExit:
                role.ended.set_result(1)  # as from a process of its own
            except BaseException:
                role.ended.set_result(1)
                raise
            finally:
                theirs.close()

        def start(module: str, log: Path, shown: Shown) -> _Role:
            del log, shown  # output stays on the terminal, and nothing is hidden
            ours, theirs = (Channel(end) for end in socket.socketpair())
            role = _Role(ours)
            if module == TRAINER:
                trainers.put((role, theirs))
            else:
                threading.Thread(target=play, args=(role, theirs, module), daemon=True).start()
            return role

        outcome: Future[Outcome | None] = Future()

        def lead() -> None:
            try:
                outcome.set_result(work(job, Slot(0, self._device, start)))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                outcome.set_exception(error)
            finally:
                trainers.put(None)

        threading.Thread(target=lead, daemon=True).start()
        while (item := trainers.get()) is not None:
            role, theirs = item
            play(role, theirs, TRAINER)
        return outcome.result()

    def drain(self) -> None:
        """Start no more jobs."""
        self.ended.set()

    def stop(self) -> None:
        """Start no more jobs; the one in flight is the terminal's to interrupt."""
        self.ended.set()
