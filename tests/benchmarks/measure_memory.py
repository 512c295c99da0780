"""Run a thousand tiny cells as `benchbase run` does, and watch what two processes hold."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchbase.boards.order import Order
from benchbase.pipeline import Watch, carry_out, prepare
from benchbase.records.record import Record
from benchbase.running.executors.contract import Job
from tests.benchmarks.measure_large import anonymous

METHODS = ("erm", "erm-mix", "focal", "gce", "elr", "random-weights", "oracle-weights", "mwnet")
SEEDS = 72
MEGABYTE = 2**20
WARM = 100
"""Cells until everything is imported, and both slots have run every method."""


class Sampling(Watch):
    """Notes after each cell what this process and the process server hold."""

    def __init__(self, server: int) -> None:
        self.samples: list[tuple[int, int]] = []
        self.failed = 0
        self._server = server

    def finished(self, job: Job, record: Record | None) -> None:
        """Note it."""
        self.samples.append((anonymous("self"), anonymous(self._server)))
        self.failed += record is None or record.status != "ok"
        if len(self.samples) % WARM == 0:
            print(len(self.samples), *self.samples[-1], flush=True, file=sys.stderr)


def main() -> None:
    """Print the megabytes at the hundredth cell and at the last, of the parent and the server."""
    with tempfile.TemporaryDirectory() as name:
        order = Order(
            plugins=METHODS,
            dataset="nuclei",
            noise="symmetric:0.3",
            train_size=60,
            epochs=1,
            seeds=SEEDS,
            jobs=2,
            device="cpu",
            home=Path(name),
        )
        with prepare(order) as ready:
            local: Any = ready.execution
            server = local._execution.server
            server.wait_until_ready()
            watch = Sampling(server._process.pid)
            carry_out(ready, watch)
    parent, server = zip(*watch.samples, strict=True)
    print(
        json.dumps(
            {
                "cells": len(parent),
                "failed": watch.failed,
                "parent": parent[WARM] / MEGABYTE,
                "parent_grown": (parent[-1] - parent[WARM]) / MEGABYTE,
                "server": server[WARM] / MEGABYTE,
                "server_grown": (server[-1] - server[WARM]) / MEGABYTE,
            }
        )
    )


if __name__ == "__main__":
    main()
