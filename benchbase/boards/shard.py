"""Parts of a plan, for machines that share nothing: ``--shard 2/8``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchbase.errors import UsageError
from benchbase.running.executors.contract import Job


def of_shard(jobs: Sequence[Job], shard: str | None) -> tuple[Job, ...]:
    """Give the jobs of one part; None is all of them.

    A cell's part follows from its key alone, so that parts never overlap, cost alike on average
    and stay the same when a board grows.

    Raises:
        UsageError: the shard is not ``I/N`` with I from 1 to N.
    """
    if shard is None:
        return tuple(jobs)
    found = re.fullmatch(r"(\d+)/(\d+)", shard.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {shard}: expected I/N with I from 1 to N, such as 1/8")
    part, parts = int(found[1]), int(found[2])
    return tuple(job for job in jobs if int(job.cell.key[:16], 16) % parts == part - 1)
