"""Runs a plan's cells and stores each outcome the moment it is there.

A crash at any point loses at most the cells in flight: what is finished was written and synced.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from benchbase.boards.plan import Plan
from benchbase.cell import Cell
from benchbase.errors import StoreError
from benchbase.files import create_file
from benchbase.judging import metrics
from benchbase.records.record import Artefact, Record, Result
from benchbase.records.store import Store, new_attempt
from benchbase.running.executors.contract import Execution, Job, Outcome
from benchbase.running.runner import Settings, run_cell


@dataclass
class Tally:
    """What a sweep came to."""

    records: dict[str, Record] = field(default_factory=dict)
    """Key -> the record written for it."""
    lost: list[tuple[Job, str]] = field(default_factory=list)
    """Cells whose record could not be written, and why."""

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

    ``finished`` hears None of a record that could not be written.
    """
    if plan.to_do:
        threading.Thread(target=metrics.preload, daemon=True).start()  # seconds, beside training
    tally = Tally()

    def work(job: Job, slot: Any) -> Outcome:
        started(job)
        return run_cell(job, slot, settings)

    def done(job: Job, outcome: Outcome) -> None:
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
        except StoreError as error:
            tally.lost.append((job, str(error)))
            finished(job, None)
            return
        tally.records[job.cell.key] = record
        finished(job, record)

    execution.run(plan.to_do, work, done)
    return tally


def _store_predictions(store: Store, cell: Cell, attempt: str, outcome: Outcome) -> Result:
    """Write the logits that the rules used, so that the row can be computed again."""
    if not outcome.predictions:
        return outcome.result
    path = store.home.predictions(cell.key, attempt)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **outcome.predictions)
    create_file(path, content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    artefact = Artefact(sha256=digest, file=str(path.relative_to(store.home.path)))
    return msgspec.structs.replace(outcome.result, artefacts={"predictions": artefact})
