"""What a dry run says: how many cells of which method and scenario, and how long they may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tabulate import tabulate

from benchbase.boards.plan import Plan
from benchbase.cell import JSON
from benchbase.cli.progress import condition_text, describe
from benchbase.running.executors.contract import Job


def plan_json(plan: Plan, seconds: float | None) -> JSON:
    """Give every cell, and the estimated time."""
    cells = [
        {"key": job.cell.key, "cell": describe(job), "finished": job.cell.key in plan.done}
        for job in plan.jobs
    ]
    return {"cells": cells, "estimated_seconds": seconds}


def plan_text(plan: Plan, seconds: float | None, *, verbose: bool) -> str:
    """Count the cells by method and by scenario; name each of them where ``verbose``."""
    lines = list(_cell_lines(plan)) if verbose else []
    lines += [_counts("method", plan, lambda job: job.cell.weighter.label), ""]
    lines += [_counts("scenario", plan, condition_text), ""]
    time = "unknown (nothing like it has run here)"
    if seconds is not None:
        time = f"about {seconds / 60:.1f} min"
    lines.append(
        f"{len(plan.jobs)} cells, {len(plan.done)} finished, {len(plan.to_do)} to run; time: {time}"
    )
    if not verbose:
        lines.append("--verbose lists the cells.")
    return "\n".join(lines)


def models_notice(plan: Plan) -> str:
    """Say of which cells ``--keep-models`` keeps nothing."""
    return (
        f"--keep-models: {len(plan.done)} cells were finished before and do not run again, so "
        "their models are not kept"
    )


def _cell_lines(plan: Plan) -> Iterator[str]:
    for job in plan.jobs:
        yield f"{'done ' if job.cell.key in plan.done else 'to do'}  {describe(job)}"


def _counts(what: str, plan: Plan, name_of: Callable[[Job], str]) -> str:
    cells = Counter(map(name_of, plan.jobs))
    to_do = Counter(map(name_of, plan.to_do))
    rows = [[name, count, count - to_do[name], to_do[name]] for name, count in cells.items()]
    return tabulate(rows, [what, "cells", "finished", "to run"], disable_numparse=True)
