"""What carries cells out: the executor, and a device for each cell at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence

from benchbase.boards.selectors import parse_selector, settle
from benchbase.errors import UsageError
from benchbase.options import construct
from benchbase.plugins import Catalogue
from benchbase.running.executors.contract import Executor
from benchbase.running.executors.local import LocalExecutor


def choose_executor(text: str, catalogue: Catalogue, sandbox: str | None = None) -> Executor:
    """Build the executor that is named, with its options.

    Raises:
        UsageError: there is none of that name, or an option is not its own or has two values; or
            it is not known to start its processes in the sandbox that is asked for.
    """
    selector = parse_selector(text)
    entry = catalogue.find("executors", selector.target)
    executor: Executor = construct(entry.load(), settle(selector, entry.options))
    if sandbox and not isinstance(executor, LocalExecutor):
        raise UsageError(f"--sandbox {sandbox}: expected --executor local, got {executor.name}")
    return executor


def choose_devices(
    asked: str, jobs: int | None, gpus: Sequence[str], executor: Executor
) -> list[str]:
    """Give one device for each cell at a time.

    Raises:
        UsageError: a GPU is asked for and there is none.
    """
    if asked == "cuda" and not gpus:
        raise UsageError("--device cuda: torch finds no GPU here; use --device cpu or auto")
    if not executor.trusted:  # it runs in this very process
        return ["cuda:0" if gpus else "cpu"]
    if gpus:
        return [f"cuda:{index % len(gpus)}" for index in range(jobs or len(gpus))]
    return ["cpu"] * (jobs or _cores())


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
