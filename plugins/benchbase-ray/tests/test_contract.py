"""The executor keeps its contract; that needs no cluster."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("benchbase_ray", reason="in no default group: `uv run nox -s ray`")

from benchbase_ray.executor import RayExecutor

from benchbase.testing.conformance import parametrize_with_checks


@parametrize_with_checks([RayExecutor])
def test_the_executor_keeps_the_contract(executor: Any, check: Any) -> None:
    check(executor)
