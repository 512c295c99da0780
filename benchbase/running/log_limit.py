"""Keeps what a cell's processes print from filling the disk.

They write to the file themselves, so that printing costs a method nothing and what it printed is
there however it ends. The parent looks at the file once in a while and cuts off what is too much:
of a flood only the beginning is kept.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

LIMIT_BYTES = 10 * 2**20
"""What is kept of a log: its beginning."""
SECONDS = 0.5
"""Time between two looks; between them a log may be longer."""


@contextlib.contextmanager
def limited(log: Path) -> Iterator[None]:
    """Cut the log off at the limit, again and again, and say so in its last line."""
    over = threading.Event()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SECONDS):
            if _cut(log):
                over.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        if _cut(log) or over.is_set():
            with contextlib.suppress(OSError), log.open("a") as file:
                file.write(f"\n[the log ends here: more than {LIMIT_BYTES:,} bytes were printed]\n")


def _cut(log: Path) -> bool:
    """Tell whether the log was too long; it is not any more."""
    with contextlib.suppress(OSError):  # nothing was printed yet, or the log is no file
        if log.stat().st_size > LIMIT_BYTES:
            os.truncate(log, LIMIT_BYTES)
            return True
    return False
