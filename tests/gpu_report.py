"""Tries benchbase on a card and writes one report to send back: ``nox -s gpu``.

The report holds, as JSON, the card, what came of every installed method and network on it beside
the CPU, and the first cells of the default board with their costs.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from benchbase.pipeline import run
from benchbase.plugins import Entry
from benchbase.records.home import Home
from benchbase.records.record import Record
from benchbase.records.store import Store
from benchbase.testing.accelerator import forked, run_on
from tests.running import installed

NO_CARD, NOT_AS_ON_THE_CPU = 2, 3
CLOSE = 1e-2
"""Largest difference from the CPU, as a share of the largest value, that rounding explains."""


def report(device: str, plugins: Sequence[Entry], *, cells: bool) -> dict[str, Any]:
    """Run everything on a device; tell of each what came."""
    found = {entry.name: run_on(device, entry.load) for entry in plugins}
    records = _cells(device) if cells else []
    return {
        "machine": _machine(),
        "failed": [name for name, one in found.items() if one.error],
        "far from the CPU": [
            name for name, one in found.items() if max(one.differences, default=0) > CLOSE
        ],
        "plugins": {name: msgspec.to_builtins(one) for name, one in found.items()},
        "cells": [
            {
                "label": record.spec.weighter.label,
                "status": record.status,
                "reason": record.reason,
                "metrics": msgspec.to_builtins(record.metrics),
                "cost": msgspec.to_builtins(record.cost),
            }
            for record in records
        ],
        "times erm's training": ratios(records),
    }


def ratios(records: Sequence[Record]) -> dict[str, float]:
    """Give each method's seconds of training over all its cells, in those of erm."""
    seconds: dict[str, float] = defaultdict(float)
    for record in records:
        seconds[record.spec.weighter.label] += record.cost.seconds_train
    return {label: value / seconds["erm"] for label, value in seconds.items() if "erm" in seconds}


def _machine() -> dict[str, Any]:
    card = _card()
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        **(card or {}),
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True, check=False
        ).stdout.strip(),
    }


def _card() -> dict[str, Any] | None:
    """Describe the first GPU, in a process of its own: whoever asks for one cannot fork then."""

    def ask() -> bytes:
        if not torch.cuda.is_available():
            return b"null"
        card = torch.cuda.get_device_properties(0)
        return json.dumps({"card": card.name, "memory": card.total_memory}).encode()

    answer = forked(ask)
    return json.loads(answer) if isinstance(answer, bytes) else None


def _cells(device: str) -> list[Record]:
    """Run the default board at one seed."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run(device=device, seeds=1, home=home)
        return [*Store(Home(home)).records()]


def main(path: Path) -> int:
    """Write the report and say what went wrong; give the exit code."""
    if _card() is None:
        sys.stderr.write(f"torch {torch.__version__} finds no GPU here: this command needs one\n")
        return NO_CARD
    plugins = [entry for kind in ("weighters", "backbones") for entry in installed().of(kind)]
    told = report("cuda", plugins, cells=True)
    path.write_text(json.dumps(told, indent=1) + "\n")
    sys.stdout.write(f"{path}: please send it back\n")
    wrong = [*told["failed"], *told["far from the CPU"]]
    wrong += [cell["label"] for cell in told["cells"] if cell["status"] != "ok"]
    if wrong:
        sys.stderr.write(f"not as on the CPU: {', '.join(wrong)}\n")
    return NOT_AS_ON_THE_CPU if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
