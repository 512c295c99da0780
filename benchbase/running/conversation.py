"""The conversation of one cell: the parent asks, the trainer and the predictor answer.

The trainer waits while its checkpoint is judged, so the training clock is honest. However a child
ends, what became of it is said once, here.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import Status
from benchbase.data.maps import ImageMap
from benchbase.data.opening import Opened
from benchbase.errors import ContractError
from benchbase.judging.judge import Judge, Questions
from benchbase.plugins import Entry
from benchbase.records.record import Failure
from benchbase.running.arrays import read_logits, read_weights
from benchbase.running.executors.contract import ChildProcess, Job, Slot
from benchbase.running.executors.sandbox import Shown, code_of
from benchbase.running.given import Gift, pose
from benchbase.running.journal import Heard, Journal
from benchbase.running.messages import (
    Asked,
    Checkpoint,
    Done,
    Failed,
    Go,
    Keep,
    Labels,
    Loadable,
    Logits,
    Message,
    Query,
    Ready,
    Start,
)
from benchbase.running.settings import Progress, Settings

CHECKPOINTS_AN_EPOCH = 10
"""A weighter that yields more than this many checkpoints for each epoch is cut off."""
GRACE_SECONDS = 10.0
"""How long a child that closed its connection may take to end."""
Kind = TypeVar("Kind", bound=Message)


class CellFailedError(Exception):
    """How a cell ended short; becomes the result's status, reason and error."""

    def __init__(self, status: Status, reason: str, error: Failure | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.error = error


def converse(
    *,
    job: Job,
    slot: Slot,
    settings: Settings,
    folder: Path,
    gift: Gift,
    judge: Judge,
    journal: Journal,
    deadline: float,
) -> None:
    """Hold the conversation with both children until the trainer is done.

    Raises:
        CannotResumeError: the cell is not the one that was interrupted, and must begin anew.
    """
    opened, costs, cell = judge.opened, journal.costs, job.cell
    for_sale = "oracle" in job.weighter.needs and cell.scenario.label_budget
    questions = Questions.of(opened.judged_order)
    start = _start(job, slot.device, folder, settings, journal)
    code = [path for entry in (job.weighter, job.backbone) for path in code_of(entry.source)]
    code += _weights(cell.scenario.backbone_options)
    log = settings.home.log(cell.key)
    with _children(
        slot, settings, log, start, gift=gift, asked=pose(opened), code=code, deadline=deadline
    ) as children:
        trainer, predictor = children
        while True:
            waiting = time.monotonic()
            message: Checkpoint | Query | Done
            try:
                message, blob = _hear(trainer, settings, Checkpoint, Query, Done)
            finally:
                costs.train += time.monotonic() - waiting
            if isinstance(message, Query):
                _tell(trainer, Labels(labels=_sell(message.rows, job, opened, journal)), settings)
                continue
            costs.spent = message.spent
            if isinstance(message, Checkpoint) and message.again is not None:
                journal.compare(message.again, Heard.of(message, blob))
            else:
                journal.check_caught_up()
                _check_schedule(message, judge.checkpoints, cell.scenario.recipe.epochs)
                if isinstance(message, Done):
                    journal.check_asked_again()
                    return
                costs.parameters = message.parameters
                judging = time.monotonic()
                weights = read_weights(blob, len(opened.train))
                logits = _predict(predictor, settings, questions, len(opened.classes))
                bought = sorted(journal.bought) if for_sale else None
                judge.hear(logits, weights, message.notes, message.counted, bought)
                _put_away(Path(start.model), settings.models, cell.key)
                costs.judged += len(logits)
                costs.judge += time.monotonic() - judging
                journal.add(Heard.of(message, blob, logits, bought), Path(start.keep.path))
            if settings.heard is not None:
                settings.heard(Progress(job, judge.checkpoints, message.notes))
            _tell(trainer, Go(), settings)


@contextmanager
def _children(
    slot: Slot,
    settings: Settings,
    log: Path,
    start: Start,
    *,
    gift: Gift,
    asked: tuple[Asked, ImageMap],
    code: Sequence[Path],
    deadline: float,
) -> Iterator[tuple[ChildProcess, ChildProcess]]:
    """Start the trainer and the predictor; end both afterwards, whatever happened."""
    predictor = trainer = None
    exchange = Path(start.model).parent
    try:
        exchange.mkdir(parents=True, exist_ok=True)
        shown = Shown(reads=[*code, exchange])
        predictor = slot.start("benchbase.running.predictor", log, shown)
        predictor.channel.deadline = deadline
        _tell(predictor, start, settings)
        question, judged = asked
        _tell(predictor, question, settings, maps=[judged])
        # It closes what it was handed before the trainer is there, which finds nothing to open.
        _hear(predictor, settings, Ready)
        left = [Path(start.keep.go_on_from)] if start.keep.go_on_from else []
        shown = Shown(reads=[*code, *left], writes=[exchange])
        trainer = slot.start("benchbase.running.trainer", log, shown)
        trainer.channel.deadline = deadline
        _tell(trainer, start, settings)
        _tell(trainer, gift.message, settings, gift.packed_labels, gift.maps)
        _hear(trainer, settings, Ready)
        yield trainer, predictor
    finally:
        children = [child for child in (trainer, predictor) if child is not None]
        for child in children:
            child.kill()
        for child in children:
            child.exit_code(GRACE_SECONDS)  # so that none writes into the folder any more


def _start(job: Job, device: str, folder: Path, settings: Settings, journal: Journal) -> Start:
    return Start(
        weighter=_loadable(job.weighter, job.cell.weighter.options),
        backbone=_loadable(job.backbone, job.cell.scenario.backbone_options),
        device=device,
        model=str(folder / "exchange" / "model.pt"),
        keep=Keep(
            path=str(folder / "exchange" / "snapshot"),
            every=settings.snapshot_every if settings.trusted else None,
            go_on_from=None if journal.snapshot is None else str(journal.snapshot),
            past=[one.counted for one in journal.heard],
        ),
    )


def _weights(options: Mapping[str, Any]) -> list[Path]:
    """Name the file of weights that a network starts from, where it is one."""
    path = Path(str(options.get("weights", ""))).expanduser().absolute()
    return [path] if path.is_file() else []


def _loadable(entry: Entry, options: Mapping[str, Any]) -> Loadable:
    return Loadable(source=entry.source, name=entry.name, options=dict(options))


def _check_schedule(message: Checkpoint | Done, judged: int, epochs: int) -> None:
    """Refuse an end before the first checkpoint, and checkpoints without end."""
    limit = CHECKPOINTS_AN_EPOCH * (epochs + 1)
    if isinstance(message, Done) and not judged:
        raise ContractError("the child was done before its first checkpoint")
    if isinstance(message, Checkpoint) and judged >= limit:
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
    predictor: ChildProcess, settings: Settings, questions: Questions, classes: int
) -> NDArray[np.float32]:
    _tell(predictor, Go(), settings)
    reply, blob = _hear(predictor, settings, Logits)
    asked = len(questions.first) + len(questions.again)
    return questions.answers(read_logits(reply, blob, asked, classes))


def _sell(rows: list[int], job: Job, opened: Opened, journal: Journal) -> list[int]:
    """Answer an oracle query; the ledger and the budget are the parent's."""
    if any(row >= len(opened.train) for row in rows):
        raise ContractError(f"the oracle was asked for rows that do not exist: {rows!r:.100}")
    sold = journal.sell(rows)
    budget = job.cell.scenario.label_budget or 0
    if "oracle" not in job.weighter.needs or sold > budget:
        raise CellFailedError(
            "error", f"BudgetError: {sold} labels asked for, the budget is {budget}"
        )
    return [int(label) for label in opened.train_true[rows]]


def _tell(
    child: ChildProcess,
    message: Message,
    settings: Settings,
    blob: bytes = b"",
    maps: Sequence[ImageMap] = (),
) -> None:
    try:
        child.channel.send(message, blob, [each.descriptor for each in maps])
    except TimeoutError:
        raise _timeout(settings) from None
    except OSError:
        _hear(child, settings)  # its last words, or the way it ended


def _hear(child: ChildProcess, settings: Settings, *expected: type[Kind]) -> tuple[Kind, bytes]:
    """Receive one of the expected messages, or raise what became of the child."""
    message: Kind | Failed
    try:
        message, blob = child.channel.receive(*expected, Failed)
    except TimeoutError:
        raise _timeout(settings) from None
    except (EOFError, OSError):
        raise _ending(child) from None
    if isinstance(message, Failed):
        error = Failure(type=message.error, message=message.message, traceback=message.traceback)
        raise CellFailedError(message.status, f"{error.type}: {error.message}", error)
    return message, blob


def _timeout(settings: Settings) -> CellFailedError:
    return CellFailedError("timeout", f"stopped after {settings.timeout:g} s (--timeout)")


def _ending(child: ChildProcess) -> CellFailedError:
    code = child.exit_code(GRACE_SECONDS)
    if child.excess is not None:
        status, reason = child.excess
        return CellFailedError(status, f"the process was stopped: {reason}")
    if code is None:
        return CellFailedError("error", "the process closed its connection and went on")
    if code >= 0:
        return CellFailedError(
            "error",
            f"the process ended by itself (exit code {code}) before training was over: a weighter "
            "must not exit, raise an exception instead",
        )
    known = {number.value: number.name for number in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    if -code in {signal.SIGKILL, signal.SIGTERM}:
        return CellFailedError(
            "killed", f"the process was killed ({name}): by hand, or by the system out of memory"
        )
    return CellFailedError("error", f"the process crashed ({name})")
