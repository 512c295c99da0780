"""What a sandboxed role may use: limits that the kernel keeps, and a watch over what it does not.

The kernel limits one process; a role may start several, and root's number is not limited at all.
So the parent adds up now and then what a role and all that it started use.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchbase.cell import Status

MOST_TASKS = 512
"""Processes and threads of one role."""
SECONDS = 0.25
"""Time between two looks."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_BYTES = _PAGE * os.sysconf("SC_PHYS_PAGES") * 3 // 4
"""Memory of one role."""


class Excess(NamedTuple):
    """What a role was ended for."""

    status: Status
    reason: str


@dataclass(frozen=True)
class Used:
    """What a process and all that it started use now."""

    resident: int
    """Bytes."""
    tasks: int
    """Processes and their threads."""

    @property
    def excess(self) -> Excess | None:
        """Say what is over its limit; None where nothing is."""
        if self.resident > MOST_BYTES:
            return Excess("oom", f"over {MOST_BYTES >> 20} MiB of memory (a limit of the sandbox)")
        if self.tasks > MOST_TASKS:
            words = f"over {MOST_TASKS} processes and threads (a limit of the sandbox)"
            return Excess("error", words)
        return None


def limit_this_process() -> None:
    """Set the limits that the kernel keeps; nothing in a sandbox can lift them."""
    for what, most in {
        resource.RLIMIT_DATA: MOST_BYTES,
        resource.RLIMIT_FSIZE: MOST_BYTES,
        resource.RLIMIT_NPROC: MOST_TASKS,
        resource.RLIMIT_CORE: 0,
    }.items():
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def used_by(pid: int) -> Used:
    """Add up what a process and its descendants use."""
    children: dict[int, list[int]] = defaultdict(list)
    own: dict[int, Used] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with contextlib.suppress(OSError):  # it ended meanwhile
            # The name of a program may hold blanks and brackets: the fields begin behind it.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children[int(fields[1])].append(int(folder.name))
            own[int(folder.name)] = Used(int(fields[21]) * _PAGE, int(fields[17]))
    family = [pid]
    for member in family:
        family += children[member]
    known = [own[member] for member in family if member in own]
    return Used(sum(it.resident for it in known), sum(it.tasks for it in known))
