"""The driver's side: what is to run goes out as specifications, what it came to comes back.

The driver plans, claims and writes records; so a run that is started again finds what is finished.
At most one cell a slot is with the cluster: Ray never holds a queue of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchbase.data.opening import Opened
from benchbase.errors import RunError, UsageError
from benchbase.options import option
from benchbase.plugins.installed import own_files_hash
from benchbase.records.home import Home
from benchbase.running.executors.contract import Execution, Executor, Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.local import SlotsExecution
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings

ATTEMPTS = 4
"""How often a cell is begun whose worker or node goes; then it is recorded as killed."""


@dataclass(frozen=True)
class RayExecutor(Executor):
    """The nodes of a Ray cluster, each cell in fresh processes on one of them."""

    name: ClassVar[str] = "ray"
    address: str = option("", "Where the cluster is; empty: $RAY_ADDRESS, or one on this machine.")
    cpus: float = option(1.0, "Cores that a cell takes.", min=0.01)
    gpus: float = option(1.0, "Share of a GPU that a cell takes, where it takes one.", min=0.01)
    home: str = option("", "Folder of data and logs on each node; empty: at the path of --home.")

    def devices(self, asked: str, jobs: int | None) -> Sequence[str]:
        """Give as many as the cluster can hold at a time."""
        total = _connected(self.address).cluster_resources()
        cells = {"cuda": total.get("GPU", 0) / self.gpus, "cpu": total.get("CPU", 0) / self.cpus}
        kind = "cuda" if asked == "cuda" or (asked == "auto" and cells["cuda"] >= 1) else "cpu"
        if cells[kind] < 1:
            raise UsageError(f"--device {asked}: the cluster has no room for a cell: {total}")
        return ["cuda:0" if kind == "cuda" else "cpu"] * (jobs or int(cells[kind]))

    def start(self, server: ForkServer, devices: Sequence[str]) -> Execution:
        """Begin a sweep with a slot for each device."""
        return _RayExecution(self, server, devices)


def _connected(address: str) -> Any:
    """Give Ray, connected to the cluster.

    Raises:
        UsageError: it cannot be reached, or does not let us in.
    """
    # Under `uv run`, Ray would run uv again in every worker. Whoever sets a runtime environment
    # of a job sees to that by themselves.
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" not in os.environ:
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    import ray

    if not ray.is_initialized():
        try:
            ray.init(address or None, log_to_driver=False, logging_level=logging.ERROR)
        except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
            raise UsageError(
                f"--executor ray: no cluster at {address or 'this machine'} ({error}): see that it "
                "runs (`ray status`) and that both have the same token (`RAY_AUTH_TOKEN`)"
            ) from error
    return ray


class _RayExecution(SlotsExecution):
    """Each slot waits for one task at a time."""

    def __init__(self, chosen: RayExecutor, server: ForkServer, devices: Sequence[str]) -> None:
        super().__init__(
            [Slot(i, device, server.start, self._run) for i, device in enumerate(devices)]
        )
        self._chosen = chosen
        self._flying: set[Any] = set()

    def _run(self, job: Job, slot: Slot, settings: Settings) -> Outcome | None:
        """Run a cell on whichever node has room; on another one where that goes."""
        from benchbase_ray.node import run_on_node

        ray = _connected(self._chosen.address)
        task = ray.remote(run_on_node).options(
            name=f"{job.cell.weighter.name} seed {job.cell.seed}",
            num_cpus=self._chosen.cpus,
            num_gpus=self._chosen.gpus if slot.device.startswith("cuda") else 0,
            max_retries=0,  # by cause, below
        )
        home = Home(Path(self._chosen.home or settings.home.path).absolute())
        sent = dataclasses.replace(settings, home=home, work=Path(), heard=None)
        reason = ""
        for _ in range(ATTEMPTS):
            if self.stopped.is_set():
                return None
            flying = task.remote(job, sent, slot.device, path=sys.path, code=own_files_hash())
            self._flying.add(flying)
            try:
                outcome: Outcome = ray.get(flying)
            except ray.exceptions.RayTaskError as error:  # the code's, or the installation's
                raise RunError(str(error.cause)) from error
            except ray.exceptions.RayError as error:  # a worker or a node went, or its memory
                reason = f"{type(error).__name__}: {error}"[:500]
            else:
                return outcome
            finally:
                self._flying.discard(flying)

        def lost(_: Path | None) -> Opened:
            raise RunError(f"lost {ATTEMPTS} times with its worker, at last by {reason}")

        return run_cell(dataclasses.replace(job, open=lost), slot, settings)

    def stop(self) -> None:
        """Cancel what is on the cluster."""
        super().stop()
        for flying in [*self._flying]:
            ray = _connected(self._chosen.address)
            with contextlib.suppress(ray.exceptions.RayError):
                ray.cancel(flying, force=True)
