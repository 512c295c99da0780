"""Runs one cell: the parent's side of the protocol. A failure is a result too.

The parent holds all labels, the noise mask and the scoring, and never runs a stranger's code; the
trainer child holds the task, the predictor child holds images without labels (architecture,
section 4).
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
import traceback
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from benchbase.cell import JSON, Status
from benchbase.data.opening import Opened
from benchbase.data.secret import secret_of
from benchbase.errors import DivergedError, PluginError, RunError, no_fault_of_the_method
from benchbase.judging import metrics
from benchbase.judging.judge import Judge
from benchbase.plugins import Entry
from benchbase.records.provenance import describe_numerics
from benchbase.records.record import typed_result
from benchbase.running.conversation import CellFailedError, converse
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.given import Gift, give
from benchbase.running.journal import CannotResumeError, Journal
from benchbase.running.log_limit import limited
from benchbase.running.settings import Settings


def run_cell(job: Job, slot: Slot, settings: Settings) -> Outcome:
    """Train, judge and score one cell in fresh processes; never raises for what it did."""
    started_at = time.time()
    # In full: where the children stand, the home's name may mean another folder.
    folder = settings.work.absolute() / f"{job.cell.key[:16]}-{secrets.token_hex(4)}"
    found: JSON = {
        "status": "ok",
        "trusted": settings.trusted,
        "honesty": job.weighter.honesty,
        "defaults": {spec.name: spec.default for spec in job.weighter.options},
        "grants": dict.fromkeys(job.weighter.needs, ""),
        "noise_secret": secret_of(job.cell.data) or None,
    }
    predictions: dict[str, NDArray[Any]] = {}
    left = settings.home.unfinished(job.cell.key) if settings.trusted else folder / "unfinished"
    journal = Journal(left, job, slot.device, settings)
    log = settings.home.log(job.cell.key)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        opened = _open(job, settings.cache)
        if opened.identity != job.cell.data:
            raise RunError(
                "the data are not those that the cell was planned with: they, or the cache in the "
                "home folder, changed meanwhile; run again"
            )
        found["corruption"] = opened.corruption
        gift = give(opened, job.cell.scenario, job.cell.seed, frozenset(job.weighter.needs))
        found["grants"] = dict(gift.granted)
        with limited(log):
            judge = _judged(
                job, slot, settings, opened=opened, gift=gift, journal=journal, folder=folder
            )
        metrics.preload()  # waits where it is still being loaded: no cost of this cell
        judging = time.monotonic()
        verdict = judge.conclude()
        predictions = judge.predictions()
        journal.costs.judge += time.monotonic() - judging
        training = judge.describe_training(
            _steps_allowed(opened, job), own_network="own network" in job.weighter.needs
        )
        found |= {**verdict, "training": training}
    except CellFailedError as failure:
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
        cost=_cost(journal, slot, settings),
        numerics=describe_numerics(job.cell.numerics),
        provenance=msgspec.structs.replace(
            settings.provenance,
            versions={**settings.provenance.versions, **_versions(job.weighter, job.backbone)},
            source=job.weighter.source_hash,
            backbone_source=job.backbone.source_hash,
            started=started_at,
            finished=time.time(),
            lives=journal.costs.lives,
        ),
    )
    return Outcome(result, predictions)


def _judged(
    job: Job,
    slot: Slot,
    settings: Settings,
    *,
    opened: Opened,
    gift: Gift,
    journal: Journal,
    folder: Path,
) -> Judge:
    """Hold the conversation, from where it was interrupted; anew where that is not possible."""
    while True:
        judge = Judge(opened, job.cell.scenario.recipe.epochs, settings.extra_metrics)
        journal.tell(judge)
        costs = journal.costs
        try:
            converse(
                job=job,
                slot=slot,
                settings=settings,
                folder=folder,
                gift=gift,
                judge=judge,
                journal=journal,
                deadline=costs.began - costs.earlier + settings.timeout,
            )
        except (CannotResumeError, CellFailedError, PluginError) as error:
            if journal.has_caught_up or getattr(error, "status", "") in ("killed", "timeout"):
                raise
            with contextlib.suppress(OSError), settings.home.log(job.cell.key).open("a") as log:
                log.write(f"begins anew: {error}\n")
            journal.discard()
            # Nothing that the first life left there, edited or not, is met by the second.
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return judge


def _open(job: Job, cache: Path | None) -> Opened:
    """Open the cell's data.

    Raises:
        RunError: a plugin of the data side failed.
    """
    with no_fault_of_the_method():
        return job.open(cache)


def _versions(*entries: Entry) -> dict[str, str]:
    """Give the versions of the distributions that brought the cell's plugins."""
    return {
        one.distribution: one.distribution_version for one in entries if one.distribution_version
    }


def _steps_allowed(opened: Opened, job: Job) -> int:
    recipe = job.cell.scenario.recipe
    withheld = 0 if opened.unlabelled is None else len(opened.unlabelled)
    return recipe.epochs * recipe.steps_of_an_epoch(len(opened.train) + withheld)


def _cost(journal: Journal, slot: Slot, settings: Settings) -> JSON:
    costs = journal.costs
    return {
        "seconds_train": costs.train,
        "seconds_judge": costs.judge,
        "seconds_total": costs.total,
        **msgspec.structs.asdict(costs.spent),
        "images_judged": costs.judged,
        "parameters": costs.parameters,
        "labels_bought": journal.sold,
        "device": slot.device.partition(":")[0],
        "concurrent_cells": settings.concurrent_cells,
    }
