"""Runs cells on this machine: one slot a job, fresh processes for every cell."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from benchbase.running.executors.contract import Done, Execution, Executor, Job, Outcome, Slot, Work
from benchbase.running.executors.forkserver import ForkServer


@dataclass(frozen=True)
class LocalExecutor(Executor):
    """Fresh processes for every cell on this machine; the default."""

    name: ClassVar[str] = "local"

    def start(self, server: ForkServer, devices: Sequence[str]) -> Execution:
        """Begin a sweep with one slot a device."""
        return _LocalExecution(server, devices)


class SlotsExecution(Execution):
    """Slots are threads that wait; what dies costs its own cell only."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._slots = slots
        self.ended = threading.Event()
        self.stopped = threading.Event()
        """Set once what is in flight is dropped."""

    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run all jobs; ``done`` is called in this thread."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        finished: queue.SimpleQueue[tuple[Job, Outcome | None] | BaseException | None]
        finished = queue.SimpleQueue()

        def serve(slot: Slot) -> None:
            try:
                while not self.ended.is_set():
                    job = waiting.get_nowait()
                    outcome = work(job, slot)
                    if not self.stopped.is_set():
                        finished.put((job, outcome))
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                finished.put(error)
            finally:
                finished.put(None)

        for slot in self._slots:
            threading.Thread(target=serve, args=(slot,), daemon=True).start()
        left = len(self._slots)
        while left:
            item = finished.get()
            if item is None:
                left -= 1
            elif isinstance(item, BaseException):
                self.stop()
                raise item
            else:
                done(*item)

    def drain(self) -> None:
        """Start no more jobs."""
        self.ended.set()

    def stop(self) -> None:
        """Drop what is in flight."""
        self.ended.set()
        self.stopped.set()


class _LocalExecution(SlotsExecution):
    """Cells in processes of this machine."""

    def __init__(self, server: ForkServer, devices: Sequence[str]) -> None:
        super().__init__([Slot(i, device, server.start) for i, device in enumerate(devices)])
        self.server = server

    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run all jobs, once the server has made its imports."""
        self.server.wait_until_ready()
        super().run(jobs, work, done)

    def stop(self) -> None:
        """End every process of the server."""
        super().stop()
        self.server.close()
