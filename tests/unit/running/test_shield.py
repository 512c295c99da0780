from __future__ import annotations

import ctypes
import os
import sys

import pytest

from benchbase.running.shield import shield_memory

NOBODY = 65534
SET_DUMPABLE = 4


def another_reads(owner):
    """Tell whether another process of the same user can open the memory of ``owner``."""
    reader = os.fork()
    if reader == 0:
        try:
            os.open(f"/proc/{owner}/mem", os.O_RDONLY)
        except PermissionError:
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == 1


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="becomes another user")
def test_another_process_of_the_same_user_reads_no_memory_of_a_shielded_one():
    owner = os.fork()
    if owner == 0:
        code = 1
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            ctypes.CDLL(None).prctl(SET_DUMPABLE, 1, 0, 0, 0)  # what setuid took away
            before = another_reads(os.getpid())
            shield_memory()
            code = 0 if before and not another_reads(os.getpid()) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(owner, 0)[1]) == 0
