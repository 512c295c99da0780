"""What carries cells out: the executor, and a device for each cell at a time."""

from __future__ import annotations

from collections.abc import Sequence

from benchbase.boards.selectors import parse_selector, settle
from benchbase.errors import UsageError
from benchbase.kit import devices
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
    if not executor.trusted:  # it runs in this very process
        jobs = 1
    return devices.choose(asked, jobs, gpus)
