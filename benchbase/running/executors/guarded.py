"""Asks an executor to begin a sweep: the one place, and whatever it does wrong is blamed on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchbase.errors import ContractError, blamed_on
from benchbase.running.executors.contract import Done, Execution, Executor, Job, Outcome, Slot, Work
from benchbase.running.executors.forkserver import ForkServer


def begin(executor: Executor, server: ForkServer, devices: Sequence[str]) -> Execution:
    """Begin a sweep.

    Raises:
        PluginError: the executor fails, or gives no execution.
    """
    with blamed_on("executor", executor):
        execution: Any = executor.start(server, devices)
    if not isinstance(execution, Execution):
        raise ContractError(
            f"executor {executor.name!r}: start gave {type(execution).__name__}, expected an "
            "Execution (benchbase.running.executors.contract)"
        )
    if not isinstance(getattr(execution, "ended", None), threading.Event):
        raise ContractError(
            f"executor {executor.name!r}: its execution has no `ended`: write "
            "`self.ended = threading.Event()` in its __init__"
        )
    return _Guarded(executor, execution)


class _Guarded(Execution):
    """Sees to it that each job is done once, and tells the executor's errors from benchbase's."""

    def __init__(self, executor: Executor, execution: Execution) -> None:
        self._executor = executor
        self._execution = execution
        self.ended = execution.ended

    def run(self, jobs: Sequence[Job], work: Work, done: Done) -> None:
        """Run the jobs.

        Raises:
            PluginError: the executor fails, does a job twice or leaves some out.
        """
        ours: list[BaseException] = []
        left = {id(job) for job in jobs}

        @contextmanager
        def not_the_executors() -> Iterator[None]:
            try:
                yield
            except BaseException as error:
                ours.append(error)
                raise

        def watched_work(job: Job, slot: Slot) -> Outcome | None:
            with not_the_executors():
                return work(job, slot)

        def watched_done(job: Job, outcome: Outcome | None) -> None:
            if id(job) not in left:
                raise ContractError(
                    f"executor {self._executor.name!r} reported a job twice, or one that it was "
                    "not given: expected `done(job, outcome)` once for each"
                )
            left.remove(id(job))
            with not_the_executors():
                done(job, outcome)

        with blamed_on("executor", self._executor, unless=ours):
            self._execution.run(jobs, watched_work, watched_done)
        if left and not self.ended.is_set():
            raise ContractError(
                f"executor {self._executor.name!r} came back with {len(left)} of {len(jobs)} jobs "
                "not done: expected `done(job, work(job, slot))` for each, unless it was drained "
                "or stopped"
            )

    def drain(self) -> None:
        """Start no more jobs."""
        self._execution.drain()

    def stop(self) -> None:
        """End the jobs in flight."""
        self._execution.stop()
