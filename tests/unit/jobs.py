"""Jobs and a process server for tests that start no process."""

from __future__ import annotations

from benchbase.cell import Cell, DataIdentity, Scenario, WeighterSpec
from benchbase.plugins import PluginSource, WeighterDescription
from benchbase.running.executors.contract import Job
from benchbase.running.executors.forkserver import ForkServer


class NoServer(ForkServer):
    """Stands in for the process server."""

    def __init__(self):
        self.closed = False

    def start(self, module, log=None):
        raise AssertionError

    def close(self):
        self.closed = True


def make_job(name: str, seed: int = 0) -> Job:
    cell = Cell(
        weighter=WeighterSpec(name, {}, "source", "dist", "1"),
        scenario=Scenario(),
        data=DataIdentity("a", "b", "c"),
        backbone_source="d",
        seed=seed,
        torch="2.11",
    )
    description = WeighterDescription(name, (), (), "defined here", "", "", "source", "dist", "1")
    return Job(cell, PluginSource("installed", name), description, lambda: None)  # type: ignore[return-value]
