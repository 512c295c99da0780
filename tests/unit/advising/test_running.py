from __future__ import annotations

import signal
import time

import pytest

from benchbase.advising.running import Budget, over_at
from benchbase.errors import UsageError


def test_what_takes_longer_than_there_is_time_is_ended_and_nothing_else_is():
    before = signal.getsignal(signal.SIGALRM)
    with over_at(time.time() + 60):
        pass
    with pytest.raises(UsageError, match="give more --budget"), over_at(time.time() + 0.05):
        time.sleep(60)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_look_is_over_before_the_cells_and_these_before_the_budget():
    budget = Budget(1000.0, 100.0)
    assert 1000 < budget.look < budget.cells < 1100
