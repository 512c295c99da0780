"""Tests of every plugin here compute in one torch thread, as a run does."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _as_in_a_run(one_thread: None) -> None:
    """Ask for benchbase's fixture."""
