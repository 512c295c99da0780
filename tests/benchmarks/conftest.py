"""Measurements in a process of their own, with the environment of a worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.running import typechecking
from benchbase.running.executors.forkserver import CHILD_ENVIRONMENT
from tests.benchmarks.ratios import Ratio, read, table, write

Measure = Callable[..., dict[str, float]]
RATIOS = pytest.StashKey[dict[str, Ratio]]()
ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".benchmarks" / "ratios.json"


@pytest.fixture
def hold(request, benchmark) -> Callable[..., None]:
    """Note a ratio for the table at the end of the run, and hold it to its limit."""

    def noted(name: str, value: float, limit: float, *, at_least: bool = False) -> None:
        ratio = Ratio(value, limit, at_least)
        if benchmark.enabled:
            request.config.stash.setdefault(RATIOS, {})[name] = ratio
        assert ratio.holds, f"{name}: {value:.3f}, the limit is {limit:g}"

    return noted


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Print the ratios beside those of the last run, and keep them for the next."""
    ratios = config.stash.get(RATIOS, {})
    if not ratios:
        return
    terminalreporter.section("ratios")
    for line in table(ratios, read(KEPT)):
        terminalreporter.line(line)
    write(KEPT, ratios)


@pytest.fixture
def measure(benchmark) -> Measure:
    """Run a script beside this file; give the JSON object that it prints.

    malloc's settings must be there before a process starts, and the test run's type checks must
    not: hence a process for each measurement. Its figures go into the benchmark's record.
    """

    def run(script: str, *arguments: str) -> dict[str, float]:
        if not benchmark.enabled:
            pytest.skip("timing is switched off")
        command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
        environment = {
            **os.environ,
            **CHILD_ENVIRONMENT,
            typechecking.SWITCH: "0",
            "PYTHONPATH": str(ROOT),
        }

        def in_a_process() -> str:
            return subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            ).stdout

        printed = benchmark.pedantic(in_a_process, rounds=1)
        figures: dict[str, float] = json.loads(printed.splitlines()[-1])
        benchmark.extra_info.update(figures)
        return figures

    return run
