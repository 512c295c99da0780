"""What happens on a node: the three processes of a cell, as on the driver's own machine.

A worker process of Ray is the cell's parent: it opens the data from this node's cache, judges, and
gives back the result. Nothing is written for the driver to find.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Sequence

from benchbase.errors import RunError
from benchbase.plugins import Entry
from benchbase.plugins.installed import own_files_hash
from benchbase.records.provenance import gather
from benchbase.running.executors.contract import Job, Outcome, Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.runner import run_cell
from benchbase.running.scouting import describe_sources, find_gpus, read_catalogue
from benchbase.running.settings import Settings
from benchbase.running.shield import shield_memory


def run_on_node(
    job: Job, settings: Settings, device: str, *, path: Sequence[str], code: str
) -> Outcome:
    """Run one cell here, by the code that the driver planned it with; ``code`` is benchbase's.

    Raises:
        RunError: other code is installed here.
    """
    shield_memory()
    sys.path += [place for place in path if place not in sys.path]
    server = _server(os.environ.get("CUDA_VISIBLE_DEVICES"))
    home, planned = settings.home, settings.provenance
    gpus = find_gpus(server) if device.startswith("cuda") else ()
    here = gather(planned.argv or (), planned.executor, gpus)
    if (here.versions, own_files_hash()) != (planned.versions, code):
        raise RunError(
            f"node {here.host} has {here.versions} with code {own_files_hash()[:12]}, the driver "
            f"{planned.versions} with code {code[:12]}: install the same on both"
        )
    for entry in (job.weighter, job.backbone):
        if entry.source_hash not in _found(entry, server, settings):
            raise RunError(
                f"node {here.host} has other code of {entry.name!r} than the driver, or none: "
                f"install {entry.source.origin} there too, or put its file at the same path"
            )
    server.wait_until_ready()
    with home.workspace() as work:
        there = dataclasses.replace(
            settings,
            work=work,
            cache=home.cache,
            models=home.models if settings.models else None,
            provenance=here,
        )
        return run_cell(job, Slot(0, device, server.start), there)


@functools.cache
def _server(_gpus: str | None) -> ForkServer:
    """Give this worker's process server; its children see the GPUs that the worker was given."""
    return ForkServer()


def _found(entry: Entry, server: ForkServer, settings: Settings) -> set[str]:
    """Hash the code that this node has under a plugin's name."""
    if entry.source.kind == "installed":
        found = read_catalogue(server, settings.home).of(entry.kind)
    else:
        found = [*describe_sources(server, [entry.source], settings.home)[entry.source]]
    return {one.source_hash for one in found if one.name == entry.name}
