"""What the command line costs before it does anything."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

import pytest

ROUNDS = 9


def seconds(*arguments: str) -> float:
    """Run Python; give the processor time that it took, which other processes disturb little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("command", ["--help", "list"])
def test_the_command_line_starts_within_three_times_the_start_of_click(benchmark, command):
    if not benchmark.enabled:
        pytest.skip("timing is switched off")

    def measure() -> float:
        return statistics.median(
            seconds("-m", "benchbase", command) / seconds("-c", "import click")
            for _ in range(ROUNDS)
        )

    ratio = benchmark.pedantic(measure, rounds=1)
    benchmark.extra_info["ratio"] = ratio
    assert ratio <= 3
