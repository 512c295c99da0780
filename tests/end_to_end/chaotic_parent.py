"""``benchbase`` for `test_chaos`: with a snapshot at every checkpoint, and by another clock.

Usage: ``python -m tests.end_to_end.chaotic_parent HOURS ARGUMENTS...``
"""

from __future__ import annotations

import functools
import sys
import time
from datetime import datetime, timedelta, tzinfo

import pytest

from benchbase import pipeline
from benchbase.cli import invoke
from benchbase.records import store
from benchbase.running.settings import Settings


def set_clock(hours: float, patch: pytest.MonkeyPatch) -> None:
    """Let this process take it to be so many hours later than it is."""
    now = time.time

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Shifted:
            return super().now(tz) + timedelta(hours=hours)

    patch.setattr(time, "time", lambda: now() + 3600 * hours)
    patch.setattr(store, "datetime", Shifted)


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        set_clock(float(sys.argv[1]), patch)
        patch.setattr(pipeline, "Settings", functools.partial(Settings, snapshot_every=0.0))
        code = invoke(sys.argv[2:])
    sys.exit(code)
