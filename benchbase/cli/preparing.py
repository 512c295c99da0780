"""Shows on stderr how far the preparation of a data set is, where that takes long."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console

from benchbase.cli.progress import make_bars
from benchbase.data.progress import heard_by

WORTH_SAYING_SECONDS = 60.0
"""Without a terminal, a line is written at most so often."""


@contextlib.contextmanager
def shown_preparation() -> Iterator[None]:
    """Show a bar for each thing that is prepared meanwhile; plain lines without a terminal."""
    console = Console(stderr=True)
    live = sys.stderr.isatty()
    bars = make_bars(console, live=live)
    lines = {}
    said = time.monotonic()

    def hear(what: str, done: int, total: int) -> None:
        nonlocal said
        if what not in lines:
            bars.start()
            lines[what] = bars.add_task(what, total=total, note="")
        bars.update(lines[what], completed=done)
        if done == total:
            bars.remove_task(lines.pop(what))
        if not lines:
            bars.stop()
        elif not live and time.monotonic() - said > WORTH_SAYING_SECONDS:
            said = time.monotonic()
            console.print(f"{what}: {done:,} of {total:,}", highlight=False, markup=False)

    try:
        with heard_by(hear):
            yield
    finally:
        bars.stop()
