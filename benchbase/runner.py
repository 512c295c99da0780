"""Runs one cell: the parent's side of the protocol. A failure is a result too.

The parent holds all labels, the noise mask and the scoring, and never runs a stranger's code; the
trainer child holds the task, the predictor child holds images without labels (architecture,
section 4). The trainer waits while its checkpoint is judged, so the training clock is honest.
"""

from __future__ import annotations

import dataclasses
import math
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase import metrics
from benchbase.cell import JSON, Result, Status
from benchbase.data.opening import Opened
from benchbase.errors import BenchbaseError, ContractError, DivergedError
from benchbase.executors.contract import ChildProcess, Job, Outcome, Slot
from benchbase.judge import Judge, Questions
from benchbase.metrics import Metric
from benchbase.task_files import write_questions, write_task

CHECKPOINTS_AN_EPOCH = 10
"""A weighter that yields more than this many checkpoints for each epoch is cut off."""
MOST_NOTES = 20
GRACE_SECONDS = 10.0
"""How long a child that closed its connection may take to end."""


@dataclass(frozen=True)
class Progress:
    """How far a running cell is."""

    job: Job
    checkpoints: int
    notes: dict[str, float]


@dataclass(frozen=True)
class Settings:
    """What a run applies to all its cells."""

    work: Path
    """Folder for the cells' files; each cell removes its own."""
    logs: Path
    timeout: float
    """Seconds that a cell may take, from opening its data to its last prediction."""
    concurrent_cells: int
    provenance: JSON
    trusted: bool = True
    models: Path | None = None
    """Folder to keep each cell's last model in."""
    extra_metrics: tuple[Metric, ...] = ()
    heard: Callable[[Progress], None] | None = None
    """Hears of each judged checkpoint."""


class _CellFailedError(Exception):
    """How a cell ended short; becomes the result's status, reason and error."""

    def __init__(self, status: Status, reason: str, error: JSON | None = None) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason
        self.error = error


@dataclass
class _Costs:
    train: float = 0.0
    judge: float = 0.0
    judged: int = 0
    spent: JSON = field(default_factory=dict)
    bought: set[int] = field(default_factory=set)


def log_path(logs: Path, job: Job) -> Path:
    """Name the file that holds what the cell's processes printed."""
    return logs / f"{job.cell.key[:16]}.log"


def run_cell(job: Job, slot: Slot, settings: Settings) -> Outcome:
    """Train, judge and score one cell in fresh processes; never raises for what it did."""
    began = time.monotonic()
    started_at = time.time()
    costs = _Costs()
    folder = settings.work / f"{job.cell.key[:16]}-{secrets.token_hex(4)}"
    partial = Result(
        "ok",
        trusted=settings.trusted,
        honesty=job.description.honesty,
        grants=dict.fromkeys(job.description.needs, ""),
    )
    predictions: dict[str, NDArray[Any]] = {}
    try:
        opened = job.open()
        partial = dataclasses.replace(partial, corruption=opened.corruption)
        granted = write_task(
            folder / "task",
            opened,
            job.cell.scenario,
            job.cell.seed,
            frozenset(job.description.needs),
        )
        partial = dataclasses.replace(partial, grants=granted)
        judge = Judge(opened, settings.extra_metrics)
        _converse(
            job=job,
            slot=slot,
            settings=settings,
            folder=folder,
            judge=judge,
            costs=costs,
            deadline=began + settings.timeout,
        )
        metrics.preload()  # waits where it is still being loaded: no cost of this cell
        judging = time.monotonic()
        verdict = judge.conclude()
        predictions = judge.predictions(verdict["selected"])
        costs.judge += time.monotonic() - judging
        result = dataclasses.replace(partial, **verdict)
    except _CellFailedError as failure:
        result = dataclasses.replace(
            partial, status=failure.status, reason=failure.reason, error=failure.error
        )
    except BenchbaseError as error:
        status: Status = "diverged" if isinstance(error, DivergedError) else "error"
        result = dataclasses.replace(
            partial, status=status, reason=f"{type(error).__name__}: {error}"
        )
    except (OSError, MemoryError) as error:
        # This machine's fault, such as a full disk, and not the method's: to be run again.
        result = dataclasses.replace(
            partial, status="killed", reason=f"the harness met {type(error).__name__}: {error}"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(
        dataclasses.replace(
            result,
            cost=_cost(costs, slot, settings, time.monotonic() - began),
            provenance={**settings.provenance, "started": started_at, "finished": time.time()},
        ),
        predictions,
    )


def _converse(
    *,
    job: Job,
    slot: Slot,
    settings: Settings,
    folder: Path,
    judge: Judge,
    costs: _Costs,
    deadline: float,
) -> None:
    """Hold the conversation with both children until the trainer is done."""
    opened = judge.opened
    questions = Questions.draw(
        len(opened.validation) + len(opened.test), secret=secrets.randbits(62)
    )
    write_questions(folder / "questions", opened, questions.order)
    model = folder / "model.pt"
    cell = job.cell
    contestant = {
        "source": job.source.to_json(),
        "weighter": cell.weighter.name,
        "options": dict(cell.weighter.options),
        "backbone": cell.scenario.backbone,
        "backbone_options": dict(cell.scenario.backbone_options),
        "device": slot.device,
    }
    log = log_path(settings.logs, job)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    trainer = slot.start("benchbase.trainer", log)
    predictor = slot.start("benchbase.predictor", log)
    trainer.channel.deadline = predictor.channel.deadline = deadline
    try:
        _tell(
            trainer, {**contestant, "folder": str(folder / "task"), "model": str(model)}, settings
        )
        _tell(predictor, {**contestant, "folder": str(folder / "questions")}, settings)
        _hear(trainer, settings, "ready")
        limit = CHECKPOINTS_AN_EPOCH * (cell.scenario.recipe.epochs + 1)
        while True:
            waiting = time.monotonic()
            message, blob = _hear(trainer, settings, "checkpoint", "query", "done")
            costs.train += time.monotonic() - waiting
            if message["type"] == "query":
                _tell(trainer, {"labels": _sell(message, job, opened, costs)}, settings)
                continue
            costs.spent = {key: value for key, value in message.items() if key != "type"} | {
                "parameters": message.get("parameters", costs.spent.get("parameters"))
            }
            if message["type"] == "done":
                return
            if judge.checkpoints >= limit:
                raise ContractError(
                    f"more than {limit} checkpoints for {cell.scenario.recipe.epochs} epochs: "
                    "yield one an epoch, and end"
                )
            judging = time.monotonic()
            logits = _predict(predictor, settings, model, questions, len(opened.classes))
            if settings.models is None:
                model.unlink()
            else:
                settings.models.mkdir(parents=True, exist_ok=True)
                shutil.move(model, settings.models / f"{cell.key}.pt")
            weights = _weights(blob, len(opened.train))
            notes = _notes(message)
            judge.hear(logits, weights, notes)
            costs.judged += len(logits)
            costs.judge += time.monotonic() - judging
            if settings.heard is not None:
                settings.heard(Progress(job, judge.checkpoints, notes))
            _tell(trainer, {"go": True}, settings)
    finally:
        trainer.kill()
        predictor.kill()


def _predict(
    predictor: ChildProcess,
    settings: Settings,
    model: Path,
    questions: Questions,
    num_classes: int,
) -> NDArray[np.float32]:
    _tell(predictor, {"model": str(model)}, settings)
    reply, blob = _hear(predictor, settings, "logits")
    shape = reply.get("shape")
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(isinstance(size, int) for size in shape)
        or len(blob) != 4 * math.prod(shape)
    ):
        raise ContractError(
            f"expected logits of shape (images, {num_classes}), got shape {shape!r:.100}"
        )
    return questions.answers(np.frombuffer(blob, np.float32).reshape(shape), num_classes)


def _notes(message: JSON) -> dict[str, float]:
    """Check the figures that a checkpoint reports."""
    notes = message.get("notes", {})
    if (
        not isinstance(notes, dict)
        or len(notes) > MOST_NOTES
        or not all(map(_is_number, notes.values()))
    ):
        raise ContractError(
            f"expected at most {MOST_NOTES} notes, name -> finite number, got {notes!r:.200}"
        )
    return {name[:100]: float(value) for name, value in notes.items()}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _weights(blob: bytes, rows: int) -> NDArray[np.float32] | None:
    if not blob:
        return None
    if len(blob) != 4 * rows:
        raise ContractError(f"expected {rows} weights, got {len(blob) / 4:g}")
    return np.frombuffer(blob, np.float32)


def _sell(message: JSON, job: Job, opened: Opened, costs: _Costs) -> list[int]:
    """Answer an oracle query; the ledger and the budget are the parent's."""
    rows = message["rows"]
    if not isinstance(rows, list) or not all(
        isinstance(row, int) and 0 <= row < len(opened.train) for row in rows
    ):
        raise ContractError(f"the oracle was asked for rows that do not exist: {rows!r:.100}")
    costs.bought.update(rows)
    budget = job.cell.scenario.label_budget or 0
    if "oracle" not in job.description.needs or len(costs.bought) > budget:
        raise _CellFailedError(
            "error", f"BudgetError: {len(costs.bought)} labels asked for, the budget is {budget}"
        )
    return [int(label) for label in opened.train_true[rows]]


def _tell(child: ChildProcess, message: JSON, settings: Settings) -> None:
    try:
        child.channel.send(message)
    except OSError:
        _hear(child, settings)  # its last words, or the way it ended


def _hear(child: ChildProcess, settings: Settings, *expected: str) -> tuple[JSON, bytes]:
    """Receive one of the expected messages, or raise what became of the child."""
    try:
        message, blob = child.channel.receive()
    except TimeoutError:
        raise _CellFailedError(
            "timeout", f"stopped after {settings.timeout:g} s (--timeout)"
        ) from None
    except (EOFError, OSError):
        raise _ending(child) from None
    if message.get("type") == "failed":
        error = message["error"]
        raise _CellFailedError(message["status"], f"{error['type']}: {error['message']}", error)
    if message.get("type") not in expected:
        raise ContractError(f"the child sent {message!r:.100}, expected {' or '.join(expected)}")
    return message, blob


def _ending(child: ChildProcess) -> _CellFailedError:
    code = child.exit_code(GRACE_SECONDS)
    if code is None:
        return _CellFailedError("error", "the process closed its connection and went on")
    if code >= 0:
        return _CellFailedError(
            "error",
            f"the process ended by itself (exit code {code}) before training was over: a weighter "
            "must not exit, raise an exception instead",
        )
    name = signal.Signals(-code).name
    if -code in {signal.SIGKILL, signal.SIGTERM}:
        return _CellFailedError(
            "killed", f"the process was killed ({name}): by hand, or by the system out of memory"
        )
    return _CellFailedError("error", f"the process crashed ({name})")


def _cost(costs: _Costs, slot: Slot, settings: Settings, total: float) -> JSON:
    spent = costs.spent
    return {
        "seconds_train": costs.train,
        "seconds_judge": costs.judge,
        "seconds_total": total,
        "peak_memory_bytes": spent.get("peak_memory_bytes"),
        "images_forwarded": spent.get("forwarded"),
        "images_backpropagated": spent.get("backpropagated"),
        "optimiser_steps": spent.get("steps"),
        "images_judged": costs.judged,
        "parameters": spent.get("parameters"),
        "labels_bought": len(costs.bought),
        "device": slot.device.partition(":")[0],
        "concurrent_cells": settings.concurrent_cells,
    }
