"""Keeps other processes of the same user out of this one's memory, where Linux can."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def shield_memory() -> None:
    """Make this process not dumpable: no other one reads ``/proc/PID/mem`` or traces it.

    Root still does, and whoever debugs this very process with gdb or py-spy needs to be root.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
