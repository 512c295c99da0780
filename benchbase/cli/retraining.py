"""How stored cells are trained again: the options, and the processes that do it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchbase.boards.again import plan_again, plan_anew
from benchbase.cell import Spec
from benchbase.cli import options
from benchbase.cli.interrupts import interruptible
from benchbase.cli.why import given_weighters
from benchbase.data.secret import Secret
from benchbase.judging.extra import Extra
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.records.store import Store
from benchbase.running.executors.contract import Execution, Job
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.guarded import begin
from benchbase.running.executors.sandbox import Sandbox
from benchbase.running.scouting import find_gpus, read_catalogue
from benchbase.running.settings import Settings
from benchbase.running.shield import shield_memory
from benchbase.running.workers import choose_devices, choose_executor


@dataclass(frozen=True)
class Retraining:
    """How cells are trained again, as the options say it."""

    by: str | None
    device: str
    jobs: int | None
    timeout: float
    roots: tuple[Path, ...]
    sandbox: str | None
    secret: Path | None


_RETRAINING = (
    click.option(
        "--by",
        metavar="NAME",
        help="Who replays, as the page says it [default: this machine's hash].",
    ),
    options.device,
    options.jobs,
    options.timeout,
    options.data_roots,
    options.sandbox,
    options.secret,
)


def retraining(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that make a ``Retraining``."""
    for option in reversed(_RETRAINING):
        command = option(command)
    return command


@dataclass(frozen=True)
class Workshop:
    """What is installed here, and processes to train cells in."""

    how: Retraining
    server: ForkServer
    cache: Path
    work: Path
    catalogue: Catalogue
    given: Mapping[Source, tuple[Entry, ...]]
    secret: Secret | None

    def plan_again(self, spec: Spec, folder: Path) -> Job:
        """Plan a cell of the board in ``folder`` as it was; its key may be another one.

        Raises:
            UsageError, DataError: something that it was run with is not here.
        """
        return plan_again(spec, self.catalogue, **self._places(folder), secret=self.secret)

    def plan_anew(self, spec: Spec, folder: Path, secret: Secret) -> Job:
        """Plan a cell's method, scenario and seed under another secret.

        Raises:
            UsageError, DataError: something that it was run with is not here.
        """
        return plan_anew(spec, self.catalogue, **self._places(folder), secret=secret)

    def _places(self, folder: Path) -> dict[str, Any]:
        return {
            "folder": folder,
            "roots": self.how.roots,
            "cache": self.cache,
            "given": self.given,
        }

    @contextmanager
    def execution(
        self, cells: int, metrics: Sequence[Extra]
    ) -> Iterator[tuple[Execution, Settings]]:
        """Begin to train so many cells; records go into a home that goes afterwards."""
        how = self.how
        gpus = () if how.device == "cpu" or how.sandbox else find_gpus(self.server)
        executor = choose_executor("local", self.catalogue)
        devices = choose_devices(how.device, how.jobs, gpus, executor)[:cells]
        settings = Settings(
            work=self.work,
            home=Home(self.work / "replayed"),
            timeout=how.timeout,
            concurrent_cells=len(devices),
            provenance=gather(sys.argv[1:], executor.name, gpus, how.sandbox),
            extra_metrics=tuple(metrics),
        )
        execution = begin(executor, self.server, devices)
        with interruptible(execution, True, lambda text: click.echo(text, err=True)):
            yield execution, settings


@contextmanager
def workshop(how: Retraining, store: Store, plugin: str | None = None) -> Iterator[Workshop]:
    """Start what cells are trained with, and end it afterwards."""
    secret = None if how.secret is None else Secret.read(how.secret)
    server = ForkServer(Sandbox.here() if how.sandbox else None)
    shield_memory()
    try:
        with store.home.workspace() as work:
            catalogue = read_catalogue(server, store.home)
            given = given_weighters(plugin, server, store.home)
            yield Workshop(how, server, store.home.cache, work, catalogue, given, secret)
    finally:
        server.close()
