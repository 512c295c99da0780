"""What Ctrl-C does to a sweep: the first lets the cells in flight finish, the second ends them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from benchbase.running.executors.contract import Execution


@contextmanager
def interruptible(
    execution: Execution, trusted: bool, say: Callable[[str], None]
) -> Iterator[list[int]]:
    """First Ctrl-C: no new cells. Second, or SIGTERM: end those in flight too."""
    interrupts: list[int] = []

    def interrupted(number: int, frame: FrameType | None) -> None:
        del frame
        interrupts.append(number)
        first = len(interrupts) == 1 and number == signal.SIGINT
        if not trusted and not first:
            raise KeyboardInterrupt  # the method runs in this very thread
        # In a thread: a handler runs between any two steps of the main thread, which may hold a
        # lock or be printing itself.
        threading.Thread(target=drain if first else execution.stop).start()

    def drain() -> None:
        execution.drain()
        say("Interrupted: finishing the cells in flight; Ctrl-C again stops them.")

    before = {n: signal.signal(n, interrupted) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
