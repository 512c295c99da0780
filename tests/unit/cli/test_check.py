"""``benchbase check``: a line a check, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchbase.cli import invoke
from benchbase.testing.checks import CHECKS

GOOD = """
import torch
from benchbase import LossWeighter

class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)
"""
UNIVERSAL = [check for check in CHECKS if check.need is None]


@pytest.fixture(autouse=True)
def numerics():
    """Put torch's global settings back: a command has a process of its own, a test has not."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(deterministic)


@pytest.fixture
def write(tmp_path: Path):
    def write(source: str) -> str:
        path = tmp_path / "plain.py"
        path.write_text(source)
        return str(path)

    return write


def test_a_good_weighter_passes_every_check(write, capsys) -> None:
    assert invoke(["check", write(GOOD)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [f"ok      plain  {check.title}" for check in UNIVERSAL]
    assert lines[-1] == f"{len(UNIVERSAL)} of {len(UNIVERSAL)} checks passed"


def test_a_failed_check_says_why_and_a_repeated_reason_once(write, capsys) -> None:
    path = write(GOOD.replace("ones_like(step.losses)", "ones(7)"))
    assert invoke(["check", path]) == 3
    out = capsys.readouterr().out
    assert "ok      plain  options survive json" in out
    assert "FAILED  plain  trains and yields checkpoints\n        ContractError: " in out
    assert "FAILED  plain  learns\n        as above" in out
    assert f"1 of {len(UNIVERSAL)} checks passed" in out


def test_the_same_for_a_program(write, capsys) -> None:
    assert invoke(["check", write(GOOD.replace("ones_like", "zeros_like")), "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["passed"] + answer["failed"] == len(answer["checks"]) == len(UNIVERSAL)
    reasons = {entry["check"]: entry["reason"] for entry in answer["checks"]}
    assert "expected at least 0.60" in reasons["learns"]
    assert reasons["checkpoints_pickle"] is None


def test_debugging_shows_the_traceback_of_a_failed_check(write, capsys, monkeypatch) -> None:
    monkeypatch.setenv("BENCHBASE_DEBUG", "1")
    path = write(GOOD.replace("return lambda", "raise KeyError('odd')\n        return lambda"))
    assert invoke(["check", path]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "raise KeyError('odd')" in err


def test_what_does_not_load_is_a_usage_error(write, capsys) -> None:
    assert invoke(["check", write("1 / 0")]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_options_in_brackets_are_refused(capsys) -> None:
    assert invoke(["check", "erm[rounds=1]"]) == 2
    assert "the checks take default options: write benchbase check erm" in capsys.readouterr().err
