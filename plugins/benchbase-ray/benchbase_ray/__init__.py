"""Runs the cells of a sweep on a Ray cluster; this module imports Ray when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchbase.hookspecs import hookimpl

if TYPE_CHECKING:
    from benchbase.running.executors.contract import Executor

BENCHBASE_API = 2


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Bring the cluster."""
    from benchbase_ray.executor import RayExecutor

    return [RayExecutor]
