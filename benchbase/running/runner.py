"""Runs one cell: the parent's side of the protocol. A failure is a result too.

The parent holds all labels, the noise mask and the scoring, and never runs a stranger's code; the
trainer child holds the task, the predictor child holds images without labels (architecture,
section 4). The trainer waits while its checkpoint is judged, so the training clock is honest.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON, Status
from benchbase.data.opening import Opened
from benchbase.errors import ContractError, DivergedError, PluginError, RunError
from benchbase.judging import metrics
from benchbase.judging.extra import Extra
from benchbase.judging.judge import Judge, Questions
from benchbase.plugins import Entry
from benchbase.records.home import Home
from benchbase.records.provenance import describe_numerics
from benchbase.records.record import Provenance, typed_result
from benchbase.running.executors.contract import ChildProcess, Job, Outcome, Slot
from benchbase.running.log_limit import limited
from benchbase.running.messages import (
    read_counted,
    read_failure,
    read_logits,
    read_notes,
    read_rows,
    read_spent,
    read_weights,
)
from benchbase.running.task_files import write_questions, write_task

CHECKPOINTS_AN_EPOCH = 10
"""A weighter that yields more than this many checkpoints for each epoch is cut off."""
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
    home: Home
    timeout: float
    """Seconds that a cell may take, from opening its data to its last prediction."""
    concurrent_cells: int
    provenance: Provenance
    trusted: bool = True
    models: Path | None = None
    """Folder to keep each cell's last model in."""
    extra_metrics: tuple[Extra, ...] = ()
    heard: Callable[[Progress], None] | None = None
    """Hears of each judged checkpoint."""


class _CellFailedError(Exception):
    """How a cell ended short; becomes the result's status, reason and error."""

    def __init__(self, status: str, reason: str, error: JSON | None = None) -> None:
        super().__init__(reason)
        self.status = cast("Status", status)
        self.reason = reason
        self.error = error


@dataclass
class _Costs:
    train: float = 0.0
    judge: float = 0.0
    judged: int = 0
    spent: JSON = field(default_factory=dict)
    bought: set[int] = field(default_factory=set)


def run_cell(job: Job, slot: Slot, settings: Settings) -> Outcome:
    """Train, judge and score one cell in fresh processes; never raises for what it did."""
    began = time.monotonic()
    started_at = time.time()
    costs = _Costs()
    folder = settings.work / f"{job.cell.key[:16]}-{secrets.token_hex(4)}"
    found: JSON = {
        "status": "ok",
        "trusted": settings.trusted,
        "honesty": job.weighter.honesty,
        "grants": dict.fromkeys(job.weighter.needs, ""),
    }
    predictions: dict[str, NDArray[Any]] = {}
    log = settings.home.log(job.cell.key)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        opened = job.open()
        if opened.identity != job.cell.data:
            raise RunError(
                "the data are not those that the cell was planned with: they, or the cache in the "
                "home folder, changed meanwhile; run again"
            )
        found["corruption"] = opened.corruption
        found["grants"] = write_task(
            folder / "task",
            opened,
            job.cell.scenario,
            job.cell.seed,
            frozenset(job.weighter.needs),
        )
        judge = Judge(opened, job.cell.scenario.recipe.epochs, settings.extra_metrics)
        with limited(log):
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
        predictions = judge.predictions()
        costs.judge += time.monotonic() - judging
        training = judge.describe_training(
            _steps_allowed(opened, job), own_network="own network" in job.weighter.needs
        )
        found |= {**verdict, "training": training}
    except _CellFailedError as failure:
        found |= {"status": failure.status, "reason": failure.reason, "error": failure.error}
    except PluginError as error:
        status: Status = "diverged" if isinstance(error, DivergedError) else "error"
        found |= {"status": status, "reason": f"{type(error).__name__}: {error}"}
    except Exception as error:  # noqa: BLE001 - one cell must not end the sweep
        # The machine's fault or ours (a full disk, a lost data file), and not the method's: it
        # does not count as finished and is run again.
        with contextlib.suppress(OSError), log.open("a") as file:
            traceback.print_exception(error, file=file)
        reason = f"the harness met {type(error).__name__}: {error}"
        found |= {"status": "killed", "reason": reason}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result = typed_result(
        **found,
        cost=_cost(costs, slot, settings, time.monotonic() - began),
        numerics=describe_numerics(job.cell.numerics),
        provenance=msgspec.structs.replace(
            settings.provenance,
            versions={**settings.provenance.versions, **_versions(job.weighter, job.backbone)},
            source=job.weighter.source_hash,
            backbone_source=job.backbone.source_hash,
            started=started_at,
            finished=time.time(),
        ),
    )
    return Outcome(result, predictions)


def _versions(*entries: Entry) -> dict[str, str]:
    """Give the versions of the distributions that brought the cell's plugins."""
    return {
        one.distribution: one.distribution_version for one in entries if one.distribution_version
    }


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
    for_sale = "oracle" in job.weighter.needs and bool(cell.scenario.label_budget)
    contestant = {
        "weighter": _loadable(job.weighter, cell.weighter.options),
        "backbone": _loadable(job.backbone, cell.scenario.backbone_options),
        "device": slot.device,
    }
    log = settings.home.log(job.cell.key)
    predictor = trainer = None
    try:
        predictor = slot.start("benchbase.running.predictor", log)
        predictor.channel.deadline = deadline
        _tell(predictor, {**contestant, "folder": str(folder / "questions")}, settings)
        _hear(predictor, settings, "ready")
        # Loaded: the images that a method is tested on are gone before it starts.
        shutil.rmtree(folder / "questions")
        trainer = slot.start("benchbase.running.trainer", log)
        trainer.channel.deadline = deadline
        _tell(
            trainer, {**contestant, "folder": str(folder / "task"), "model": str(model)}, settings
        )
        _hear(trainer, settings, "ready")
        while True:
            waiting = time.monotonic()
            try:
                message, blob = _hear(trainer, settings, "checkpoint", "query", "done")
            finally:
                costs.train += time.monotonic() - waiting
            if message["type"] == "query":
                rows = read_rows(message, len(opened.train))
                _tell(trainer, {"labels": _sell(rows, job, opened, costs)}, settings)
                continue
            costs.spent |= read_spent(message)
            _check_schedule(message["type"], judge.checkpoints, cell.scenario.recipe.epochs)
            if message["type"] == "done":
                return
            judging = time.monotonic()
            notes, weights = read_notes(message), read_weights(blob, len(opened.train))
            logits = _predict(predictor, settings, model, questions, len(opened.classes))
            judge.hear(
                logits, weights, notes, read_counted(message), costs.bought if for_sale else None
            )
            _put_away(model, settings.models, cell.key)
            costs.judged += len(logits)
            costs.judge += time.monotonic() - judging
            if settings.heard is not None:
                settings.heard(Progress(job, judge.checkpoints, notes))
            _tell(trainer, {"go": True}, settings)
    finally:
        children = [child for child in (trainer, predictor) if child is not None]
        for child in children:
            child.kill()
        for child in children:
            child.exit_code(GRACE_SECONDS)  # so that none writes into the folder any more


def _steps_allowed(opened: Opened, job: Job) -> int:
    recipe = job.cell.scenario.recipe
    withheld = 0 if opened.unlabelled is None else len(opened.unlabelled)
    return recipe.epochs * recipe.steps_of_an_epoch(len(opened.train) + withheld)


def _loadable(entry: Entry, options: Mapping[str, Any]) -> JSON:
    """Tell a child what to load and how to set it."""
    source = msgspec.to_builtins(entry.source)
    return {"source": source, "name": entry.name, "options": dict(options)}


def _check_schedule(kind: str, judged: int, epochs: int) -> None:
    """Refuse an end before the first checkpoint, and checkpoints without end."""
    limit = CHECKPOINTS_AN_EPOCH * (epochs + 1)
    if kind == "done" and not judged:
        raise ContractError("the child was done before its first checkpoint")
    if kind == "checkpoint" and judged >= limit:
        raise ContractError(
            f"more than {limit} checkpoints for {epochs} epochs: yield one an epoch, and end"
        )


def _put_away(model: Path, keep_in: Path | None, key: str) -> None:
    """Delete a checkpoint that was judged, or keep it as the cell's last one."""
    if keep_in is None:
        model.unlink()
    else:
        keep_in.mkdir(parents=True, exist_ok=True)
        shutil.move(model, keep_in / f"{key}.pt")


def _predict(
    predictor: ChildProcess, settings: Settings, model: Path, questions: Questions, classes: int
) -> NDArray[np.float32]:
    _tell(predictor, {"model": str(model)}, settings)
    reply, blob = _hear(predictor, settings, "logits")
    return questions.answers(read_logits(reply, blob, len(questions.order), classes))


def _sell(rows: list[int], job: Job, opened: Opened, costs: _Costs) -> list[int]:
    """Answer an oracle query; the ledger and the budget are the parent's."""
    costs.bought.update(rows)
    budget = job.cell.scenario.label_budget or 0
    if "oracle" not in job.weighter.needs or len(costs.bought) > budget:
        raise _CellFailedError(
            "error", f"BudgetError: {len(costs.bought)} labels asked for, the budget is {budget}"
        )
    return [int(label) for label in opened.train_true[rows]]


def _tell(child: ChildProcess, message: JSON, settings: Settings) -> None:
    try:
        child.channel.send(message)
    except TimeoutError:
        raise _timeout(settings) from None
    except OSError:
        _hear(child, settings)  # its last words, or the way it ended


def _hear(child: ChildProcess, settings: Settings, *expected: str) -> tuple[JSON, bytes]:
    """Receive one of the expected messages, or raise what became of the child."""
    try:
        message, blob = child.channel.receive()
    except TimeoutError:
        raise _timeout(settings) from None
    except (EOFError, OSError):
        raise _ending(child) from None
    if message.get("type") == "failed":
        status, error = read_failure(message)
        raise _CellFailedError(status, f"{error['type']}: {error['message']}", error)
    if message.get("type") not in expected:
        raise ContractError(f"the child sent {message!r:.100}, expected {' or '.join(expected)}")
    return message, blob


def _timeout(settings: Settings) -> _CellFailedError:
    return _CellFailedError("timeout", f"stopped after {settings.timeout:g} s (--timeout)")


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
    known = {number.value: number.name for number in signal.Signals}
    name = known.get(-code, f"signal {-code}")
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
        "images_judged": costs.judged,
        "parameters": spent.get("parameters"),
        "labels_bought": len(costs.bought),
        "device": slot.device.partition(":")[0],
        "concurrent_cells": settings.concurrent_cells,
    }
