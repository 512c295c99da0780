"""What becomes of a cell whose worker is lost, and of one whose node cannot run it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("benchbase_ray", reason="in no default group: `uv run nox -s ray`")

from benchbase_ray.executor import ATTEMPTS, RayExecutor

from benchbase.errors import RunError
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.running.executors.contract import Outcome
from benchbase.running.settings import Settings
from benchbase.testing.checks.executors import NoServer, _jobs


class RayError(Exception):
    pass


class RayTaskError(RayError):
    cause = RunError("other code is installed here")


class WorkerCrashedError(RayError):
    pass


class Ray:
    """Stands in for Ray: its tasks come to what they are told."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, *comes: Any) -> None:
        self.comes = [*comes]
        self.sent: list[tuple[Any, ...]] = []

    def is_initialized(self) -> bool:
        return True

    def remote(self, *sent: Any, **more: Any) -> Any:
        if not callable(sent[0]):
            self.sent.append(sent)
        return self

    def options(self, **_: Any) -> Any:
        return self

    def get(self, _: Any) -> Any:
        if isinstance(it := self.comes.pop(0), Exception):
            raise it
        return it


def run(ray: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outcome | None:
    monkeypatch.setitem(sys.modules, "ray", ray)
    settings = Settings(tmp_path, Home(tmp_path), 1.0, 1, gather([], "ray", ()), heard=print)
    execution: Any = RayExecutor().start(NoServer(), ["cpu"])
    outcome: Outcome | None = execution._run(_jobs(1)[0], execution._slots[0], settings)
    return outcome


def test_a_cell_is_begun_again_where_its_worker_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = object.__new__(Outcome)
    ray = Ray(WorkerCrashedError(), WorkerCrashedError(), outcome)
    assert run(ray, tmp_path, monkeypatch) is outcome
    assert len(ray.sent) == 3
    assert ray.sent[0][1].heard is None  # nobody there hears what the driver prints


def test_a_cell_that_is_lost_again_and_again_is_recorded_as_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = Ray(*(WorkerCrashedError("gone") for _ in range(ATTEMPTS)))
    outcome = run(ray, tmp_path, monkeypatch)
    assert outcome is not None
    assert outcome.result.status == "killed"
    assert "WorkerCrashedError: gone" in (outcome.result.reason or "")


def test_a_node_with_other_code_ends_the_sweep_and_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = Ray(RayTaskError())
    with pytest.raises(RunError, match="other code"):
        run(ray, tmp_path, monkeypatch)
    assert not ray.comes
