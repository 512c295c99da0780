"""The checks of an executor, with jobs that come to something without any training."""

from __future__ import annotations

import functools
import threading
import time
from pathlib import Path

from benchbase.cell import Cell, DataIdentity, Scenario, WeighterSpec
from benchbase.data.opening import Opened
from benchbase.errors import ContractError
from benchbase.plugins import Entry, Source
from benchbase.running.executors.child import Child
from benchbase.running.executors.contract import Execution, Executor, Job, Outcome, Slot, Work
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.guarded import begin
from benchbase.running.executors.sandbox import NOTHING, Shown
from benchbase.testing.check import Check, enter

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)


class NoServer(ForkServer):
    """Stands in for the process server where no job needs a process."""

    def __init__(self) -> None:
        self.closed = False

    def start(self, module: str, log: Path | None = None, shown: Shown = NOTHING) -> Child:
        """Start nothing: a job starts its processes itself."""
        raise ContractError(f"the executor itself started {module}: leave that to `work`")

    def wait_until_ready(self) -> None:
        """Come back at once."""

    def close(self) -> None:
        """Note that it was asked for."""
        self.closed = True


@_check(first=True)
def hands_in_what_each_job_comes_to(executor: type[Executor]) -> None:
    """Every job is worked on once, on one of the devices, and handed in with what it came to."""
    came: dict[str, Outcome] = {}
    devices = set()

    def work(job: Job, slot: Slot) -> Outcome:
        devices.add(slot.device)
        came[job.cell.key] = outcome = object.__new__(Outcome)
        return outcome

    done = _run(_begun(executor), work)
    if {key: id(one) for key, one in done.items()} != {key: id(one) for key, one in came.items()}:
        raise ContractError("`done` was handed another outcome than `work` gave for the job")
    if not devices <= {"cpu", "cuda:0"}:
        raise ContractError(f"jobs ran on {sorted(devices)}, expected the devices of `start`")


@_check()
def hands_in_one_at_a_time(executor: type[Executor]) -> None:
    """``done`` writes records: it is never called twice at once."""
    busy = threading.Lock()

    def done(_job: Job, _outcome: Outcome | None) -> None:
        if not busy.acquire(blocking=False):
            raise ContractError("`done` was called while another call of it was still going on")
        time.sleep(0.005)
        busy.release()

    _begun(executor).run(_jobs(4), lambda _job, _slot: None, done)


@_check()
def goes_on_after_a_job_that_came_to_nothing(executor: type[Executor]) -> None:
    """A job that another run has claimed gives None; the others are done, and it may come again."""
    execution = _begun(executor)
    for _ in range(2):
        _run(execution, lambda job, _slot: None if job.cell.seed else object.__new__(Outcome))


@_check()
def starts_nothing_more_once_it_drains(executor: type[Executor]) -> None:
    """Jobs in flight are finished, the others wait for another run."""
    execution = begin(executor(), NoServer(), ["cpu"])
    worked = []

    def work(job: Job, _slot: Slot) -> None:
        worked.append(job)
        execution.drain()

    done = _run(execution, work)
    if not execution.ended.is_set():
        raise ContractError("after drain() its `ended` is not set")
    if len(worked) == len(_jobs()) or len(done) != len(worked):
        raise ContractError(
            f"drained in its first job, it worked on {len(worked)} of {len(_jobs())} jobs and "
            f"handed in {len(done)}: expected no new ones, and those in flight to be handed in"
        )


@_check()
def passes_on_what_benchbase_raises(executor: type[Executor]) -> None:
    """An error in ``work`` is no job's: it ends the run."""

    def work(_job: Job, _slot: Slot) -> None:
        raise KeyError("of the harness")

    try:
        _run(_begun(executor), work)
    except KeyError:
        return
    raise ContractError("an error that `work` raised was swallowed: let it out of `run`")


def _begun(executor: type[Executor]) -> Execution:
    return begin(executor(), NoServer(), ["cpu", "cuda:0"])


def _run(execution: Execution, work: Work) -> dict[str, Outcome | None]:
    done: dict[str, Outcome | None] = {}

    def hand_in(job: Job, outcome: Outcome | None) -> None:
        done[job.cell.key] = outcome

    execution.run(_jobs(), work, hand_in)
    return done


def _jobs(count: int = 6) -> list[Job]:
    source = Source("module", __name__)
    weighter, backbone = (
        Entry(kind, "nothing", source, "module", "", (), "", "code")
        for kind in ("weighters", "backbones")
    )
    return [
        Job(
            Cell(
                weighter=WeighterSpec("nothing", {}, "code", "module", ""),
                scenario=Scenario(),
                data=DataIdentity("", "", ""),
                backbone_source="code",
                seed=seed,
                torch="",
            ),
            weighter,
            backbone,
            _open,
        )
        for seed in range(count)
    ]


def _open(_: Path | None) -> Opened:
    raise ContractError("the executor opened a job's data: leave that to `work`")
