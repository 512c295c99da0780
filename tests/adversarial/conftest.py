"""Plays an exploit: a method whose ``fit`` does something else before it shows a fresh network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.errors import UsageError
from benchbase.records.record import Result
from benchbase.running.executors.sandbox import Sandbox
from tests.needs import need
from tests.running import TINY, make_job, run

Played = tuple[Result, dict[str, float]]

HEAD = """
import gc, inspect, os, pathlib, sys
import numpy as np, torch
from benchbase import Checkpoint, Need, Weighter

def frames():
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
"""
CLASS = """
class Exploit(Weighter):
    name = "exploit"
    needs = frozenset({%s})
    def fit(self, task):
        model = task.build_model()
        notes = {}
"""
END = """
        yield Checkpoint(model, notes=notes)
"""


def written(path: Path, body: str = "", *, top: str = "", needs: str = "") -> Path:
    """Write a method that does ``body`` in its ``fit``, and ``top`` when it is imported."""
    indented = "\n".join(f"        {line}" for line in body.strip().splitlines())
    path.write_text(HEAD + top + CLASS % needs + indented + END)
    return path


@pytest.fixture
def sandboxed(server, monkeypatch) -> None:
    """Let the processes of a test run in the sandbox."""
    try:
        sandbox = Sandbox.here()
    except UsageError:
        sandbox = None
    need("bwrap", there=sandbox is not None)
    monkeypatch.setattr(server, "_sandbox", sandbox)


@pytest.fixture
def exploit(cache, server, tmp_path: Path) -> Callable[..., Played]:
    """Play ``body``; give what became of the cell, and the notes that it left."""

    def play(body: str, scenario=TINY, *, secret=None, top="", needs="", **settings) -> Played:
        path = written(tmp_path / "exploit.py", body, top=top, needs=needs)
        notes: dict[str, float] = {}
        job = make_job(str(path), cache, scenario, secret=secret)
        server.wait_until_ready()  # no cell's time
        played = run(
            job,
            server,
            tmp_path,
            heard=lambda progress: notes.update(progress.notes),
            **settings,
        )
        return played.result, notes

    return play
