"""Jobs and a process server for tests that start no process."""

from __future__ import annotations

from benchbase.cell import Cell, DataIdentity, Scenario, WeighterSpec
from benchbase.plugins import Entry, Source
from benchbase.running.executors.contract import Job
from benchbase.running.executors.forkserver import ForkServer


class NoServer(ForkServer):
    """Stands in for the process server."""

    def __init__(self, sandbox=None):
        self.closed = False

    def start(self, module, log=None, shown=None):
        raise AssertionError

    def wait_until_ready(self):
        pass

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
    source = Source("installed", "module", "dist 1")
    weighter, backbone = (
        Entry(kind, of, source, "dist", "1", (), "", "source")
        for kind, of in (("weighters", name), ("backbones", "small_cnn"))
    )
    return Job(cell, weighter, backbone, lambda _: None)  # type: ignore[return-value]
