"""Runs a script of measurements in a process of its own, with the environment of a worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchbase.running import typechecking
from benchbase.running.executors.forkserver import CHILD_ENVIRONMENT

ROOT = Path(__file__).parents[2]


def figures_of(script: str, *arguments: str) -> dict[str, float]:
    """Give the JSON object that a script beside this file prints.

    malloc's settings must be there before a process starts, and the test run's type checks must
    not: hence a process for each measurement.
    """
    printed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), *arguments],
        env={
            **os.environ,
            **CHILD_ENVIRONMENT,
            typechecking.SWITCH: "0",
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    figures: dict[str, float] = json.loads(printed.splitlines()[-1])
    return figures
