"""What is said of a plan before it runs."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from benchbase.boards.plan import Plan
from benchbase.cli import invoke
from benchbase.cli import run as run_module
from benchbase.errors import UsageError
from tests.unit.jobs import make_job
from tests.unit.made_records import make_record


@pytest.fixture
def said(monkeypatch, capsys):
    """Give what a run says of its plan; it stops before its first cell."""

    def stop(*_):
        raise UsageError("stopped by the test")

    def run(done: int, *options: str) -> str:
        jobs = tuple(make_job(f"m{n}") for n in range(3))
        plan = Plan(jobs, {job.cell.key: make_record() for job in jobs[:done]})
        ready = SimpleNamespace(request=SimpleNamespace(notice=""), plan=plan, told=())

        @contextmanager
        def prepare(_):
            yield ready

        monkeypatch.setattr(run_module, "prepare", prepare)
        monkeypatch.setattr(run_module, "Display", stop)
        assert invoke(["run", *options]) == 2
        text: str = capsys.readouterr().err
        return text

    return run


def test_models_of_finished_cells_are_said_not_to_be_kept(said):
    assert "--keep-models: 2 cells were finished before and do not run again" in said(
        2, "--keep-models"
    )
    assert "--keep-models" not in said(0, "--keep-models")
    assert "--keep-models" not in said(2)
