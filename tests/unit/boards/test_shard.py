"""Parts of a plan."""

from __future__ import annotations

import pytest

from benchbase.boards.shard import of_shard
from benchbase.errors import UsageError
from tests.unit.jobs import make_job

JOBS = tuple(make_job(f"m{number}") for number in range(60))


def test_parts_hold_every_cell_once_and_are_alike_in_size():
    parts = [of_shard(JOBS, f"{part}/3") for part in (1, 2, 3)]
    keys = [job.cell.key for part in parts for job in part]
    assert sorted(keys) == sorted(job.cell.key for job in JOBS)
    assert all(10 < len(part) < 30 for part in parts)
    assert of_shard(JOBS, None) == of_shard(JOBS, "1/1") == JOBS


def test_a_part_does_not_depend_on_what_else_is_planned():
    whole = of_shard(JOBS, "2/3")
    assert of_shard(JOBS[:20], "2/3") == tuple(job for job in JOBS[:20] if job in whole)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "2", "a/b", "1/0", "-1/3", "1/3/5", ""])
def test_what_is_no_part_is_refused(shard):
    with pytest.raises(UsageError, match="expected I/N with I from 1 to N"):
        of_shard(JOBS, shard)
