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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from benchbase.pipeline import run
from benchbase.records.home import Home
from benchbase.records.store import Store
from benchbase.testing.accelerator import Plugin, run_on
from tests.running import installed

CLOSE = 1e-2
"""Largest difference from the CPU, as a share of the largest value, that rounding explains."""


def report(device: str, plugins: Sequence[Plugin], *, cells: bool) -> dict[str, Any]:
    """Run everything on a device; tell of each what came."""
    found = [*run_on(device, plugins)]
    return {
        "machine": _machine(device),
        "failed": [one.name for one in found if one.error],
        "far from the CPU": [one.name for one in found if max(one.differences, default=0) > CLOSE],
        "plugins": msgspec.to_builtins(found),
        "cells": _cells(device) if cells else [],
    }


def _machine(device: str) -> dict[str, Any]:
    card = torch.cuda.get_device_properties(0) if device == "cuda" else None
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "card": card and card.name,
        "memory": card and card.total_memory,
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True, check=False
        ).stdout.strip(),
    }


def _cells(device: str) -> list[dict[str, Any]]:
    """Run the default board at one seed; give each cell's status, headline and cost."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run(device=device, seeds=1, home=home)
        return [
            {
                "label": record.spec.weighter.label,
                "status": record.status,
                "reason": record.reason,
                "metrics": msgspec.to_builtins(record.metrics),
                "cost": msgspec.to_builtins(record.cost),
            }
            for record in Store(Home(home)).records()
        ]


def main(path: Path) -> str | None:
    """Write the report; give what went wrong."""
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no GPU here: this command needs one"
    plugins = [
        (entry.kind, entry.source, entry.name)
        for kind in ("weighters", "backbones")
        for entry in installed().of(kind)
    ]
    told = report("cuda", plugins, cells=True)
    path.write_text(json.dumps(told, indent=1) + "\n")
    sys.stdout.write(f"{path}: please send it back\n")
    wrong = [*told["failed"], *told["far from the CPU"]]
    wrong += [cell["label"] for cell in told["cells"] if cell["status"] != "ok"]
    return f"not as on the CPU: {', '.join(wrong)}" if wrong else None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
