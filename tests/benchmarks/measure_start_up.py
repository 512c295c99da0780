"""Measure starts of the command line against click's; prints JSON. Run by test_start_up.py."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys

ROUNDS = 9


def seconds(*arguments: str) -> float:
    """Run Python; give the processor time that it took, which other processes disturb little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(command: str) -> dict[str, float]:
    """Give the median ratio of alternated starts."""
    ratios = [
        seconds("-m", "benchbase", command) / seconds("-c", "import click") for _ in range(ROUNDS)
    ]
    return {"ratio": statistics.median(ratios)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
