"""Runs a plan's cells and stores each outcome the moment it is there.

A crash at any point loses at most the cells in flight: what is finished was written and synced.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchbase.boards.plan import Plan
from benchbase.cell import JSON, Cell, Result
from benchbase.errors import StoreError, UsageError
from benchbase.judging import metrics
from benchbase.records.store import SCHEMA, Store, new_attempt
from benchbase.running.executors.contract import Execution, Job, Outcome
from benchbase.running.runner import Settings, run_cell


@dataclass
class Tally:
    """What a sweep came to."""

    records: dict[str, JSON] = field(default_factory=dict)
    """Key -> the record written for it."""
    lost: list[tuple[Job, str]] = field(default_factory=list)
    """Cells whose record could not be written, and why."""

    @property
    def failures(self) -> list[JSON]:
        """Records whose cell did not end well."""
        return [record for record in self.records.values() if record["status"] != "ok"]


@dataclass(frozen=True)
class Home:
    """The folder of everything that a run leaves behind and that git does not hold."""

    path: Path

    @property
    def cache(self) -> Path:
        """Decoded data sets and corruption manifests; safe to delete."""
        return self.path / "cache"

    @property
    def logs(self) -> Path:
        """What each cell's processes printed."""
        return self.path / "logs"

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """Make this run's folder for files between processes; clear away those of dead runs.

        Raises:
            UsageError: the home cannot be written to.
        """
        parent = self.path / "work"
        own = parent / f"{os.getpid()}-{secrets.token_hex(4)}"
        try:
            own.mkdir(parents=True)
            self.logs.mkdir(exist_ok=True)
            lock = (own / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            for folder in parent.iterdir():
                if folder != own:
                    _clear_if_dead(folder)
        except OSError as error:
            raise UsageError(
                f"the home folder {self.path} cannot be written to ({error.strerror}): choose "
                "another one with --home or $BENCHBASE_HOME"
            ) from error
        with lock:
            try:
                yield own
            finally:
                shutil.rmtree(own, ignore_errors=True)


def sweep(
    plan: Plan,
    execution: Execution,
    settings: Settings,
    store: Store,
    *,
    started: Callable[[Job], None],
    finished: Callable[[Job, JSON | None], None],
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
            record = {
                "schema": SCHEMA,
                "key": job.cell.key,
                "attempt": attempt,
                "spec": job.cell.spec(),
                **result.to_json(),
            }
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
    path = store.home / "preds" / cell.key / f"{attempt}.npz"
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **outcome.predictions)
            file.flush()
            os.fsync(file.fileno())
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
        temporary.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StoreError(f"{path}: predictions cannot be written: {error.strerror}") from error
    artefact = {"file": str(path.relative_to(store.home)), "sha256": digest}
    return dataclasses.replace(outcome.result, artefacts={"predictions": artefact})


def _clear_if_dead(folder: Path) -> None:
    """Delete a run's folder, unless the run holds its lock; a dead run holds none."""
    with contextlib.suppress(FileNotFoundError, BlockingIOError), (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
