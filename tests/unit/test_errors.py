"""The machine's faults are never the method's."""

from __future__ import annotations

import errno
import sys

import pytest

from benchbase.errors import MACHINE_FAULTS, is_machines_fault
from benchbase.running.trainer import describe_failure
from tests.unit.failing import failing

NAMED = ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE", "EROFS", "EAGAIN")


@pytest.mark.parametrize("number", sorted(MACHINE_FAULTS | {getattr(errno, n) for n in NAMED}))
def test_a_cell_that_the_machine_hit_is_run_again(number):
    assert describe_failure(OSError(number, "no")).status == "killed"


def test_what_was_raised_from_it_is_the_machine_s_fault_too():
    error = ValueError("could not save")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert is_machines_fault(error)
    assert not is_machines_fault(ValueError("mine"))
    assert not is_machines_fault(FileNotFoundError(errno.ENOENT, "mine"))


def test_a_full_log_does_not_take_the_last_word(monkeypatch):
    monkeypatch.setattr(sys.stderr, "write", failing(errno.ENOSPC))
    assert describe_failure(ValueError("mine")).message == "mine"
