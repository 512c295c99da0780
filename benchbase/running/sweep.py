"""Runs a plan's cells and stores each outcome the moment it is there.

A crash at any point loses at most the cells in flight: what is finished was written and synced.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from benchbase.boards.plan import Plan
from benchbase.cell import FINISHED, Cell
from benchbase.errors import StoreError
from benchbase.files import create_file
from benchbase.judging import metrics
from benchbase.records.leases import Leases
from benchbase.records.record import Artefact, Record, Result
from benchbase.records.store import Store, new_attempt
from benchbase.running.executors.contract import Execution, Job, Outcome, Slot
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings

POLL_SECONDS = 2.0
"""How often a cell is looked at that another run has claimed."""


@dataclass
class Tally:
    """What a sweep came to."""

    records: dict[str, Record] = field(default_factory=dict)
    """Key -> the record written for it, by this run or by one beside it."""
    lost: list[tuple[Job, str]] = field(default_factory=list)
    """Cells whose record could not be written, and why."""
    elsewhere: int = 0
    """Cells that a run beside this one finished."""

    @property
    def failures(self) -> list[Record]:
        """Records whose cell did not end well."""
        return [record for record in self.records.values() if record.status != "ok"]


def sweep(
    plan: Plan,
    execution: Execution,
    settings: Settings,
    store: Store,
    *,
    started: Callable[[Job], None],
    finished: Callable[[Job, Record | None], None],
) -> Tally:
    """Run what is to do; ``started`` and ``finished`` hear of each cell.

    Runs on one home share the work: each cell is claimed first, and what a run beside this one
    finishes is taken over. ``finished`` hears None of a record that could not be written.
    """
    if plan.to_do:
        threading.Thread(target=metrics.preload, daemon=True).start()  # seconds, beside training
    tally = Tally()
    before = {
        key: {path.stem for path, _ in store.home.attempt_files(key)}
        for key in (job.cell.key for job in plan.to_do)
    }
    waiting: list[Job] = []

    def written_beside(key: str) -> Record | None:
        """Give the record that a run beside this one wrote, if it did."""
        record = store.finished(key)
        return None if record is None or record.attempt in before[key] else record

    def taken_over(job: Job) -> bool:
        key = job.cell.key
        record = written_beside(key)
        if record is None:
            return False
        started(job)
        tally.records[key] = record
        tally.elsewhere += 1
        finished(job, record)
        return True

    def work(job: Job, slot: Slot) -> Outcome | None:
        if settings.trusted and not leases.claim(job.cell.key):
            return None
        if settings.trusted and written_beside(job.cell.key) is not None:
            return None
        started(job)
        return (slot.elsewhere or run_cell)(job, slot, settings)

    def done(job: Job, outcome: Outcome | None) -> None:
        if outcome is None:
            waiting.append(job)
        else:
            _record(job, outcome, store, tally, finished)
        leases.release(job.cell.key)

    with Leases(store.home).kept() as leases:
        to_do = list(plan.to_do)
        while to_do:
            execution.run(to_do, work, done)
            to_do = [job for job in waiting if not taken_over(job)]
            waiting.clear()
            if to_do and execution.ended.wait(POLL_SECONDS):
                break
    return tally


def _record(
    job: Job,
    outcome: Outcome,
    store: Store,
    tally: Tally,
    finished: Callable[[Job, Record | None], None],
) -> None:
    attempt = new_attempt()
    try:
        result = _store_predictions(store, job.cell, attempt, outcome)
        record = Record(
            key=job.cell.key,
            attempt=attempt,
            spec=job.cell.spec,
            **msgspec.structs.asdict(result),
        )
        store.write(record)
        if record.status in FINISHED:
            shutil.rmtree(store.home.unfinished(record.key), ignore_errors=True)
    except StoreError as error:
        tally.lost.append((job, str(error)))
        finished(job, None)
        return
    tally.records[job.cell.key] = record
    finished(job, record)


def _store_predictions(store: Store, cell: Cell, attempt: str, outcome: Outcome) -> Result:
    """Write the logits that the rules used, so that the row can be computed again."""
    if not outcome.predictions:
        return outcome.result
    path = store.home.predictions(cell.key, attempt)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **outcome.predictions)
    create_file(path, content.getvalue())
    artefact = Artefact(sha256=hashlib.sha256(content.getvalue()).hexdigest())
    return msgspec.structs.replace(outcome.result, artefacts={"predictions": artefact})
