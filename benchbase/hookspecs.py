"""The extension points. Each is called plugin by plugin, and returns a list of classes.

A hook imports what it returns in its body: benchbase then loads no more of a plugin than a process
needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from benchbase.api import Backbone, Weighter
    from benchbase.data.contract import DataSet, Imbalance, Noise
    from benchbase.judging.metrics import Metric
    from benchbase.running.executors.contract import Executor

API_VERSION = 2
"""A distribution states ``BENCHBASE_API = 2``; it is compared before anything is registered."""

hookspec = pluggy.HookspecMarker("benchbase")
hookimpl = pluggy.HookimplMarker("benchbase")


@hookspec
def register_weighters() -> list[type[Weighter]]:  # type: ignore[empty-body]
    """Give methods under test. A run calls it in children only: its parent keeps the truth."""


@hookspec
def register_backbones() -> list[type[Backbone]]:  # type: ignore[empty-body]
    """Give networks. A run calls it in children only."""


@hookspec
def register_datasets() -> list[type[DataSet]]:  # type: ignore[empty-body]
    """Give data sets. A run calls it in its parent, which keeps the truth."""


@hookspec
def register_noises() -> list[type[Noise]]:  # type: ignore[empty-body]
    """Give kinds of label noise. A run calls it in its parent."""


@hookspec
def register_imbalances() -> list[type[Imbalance]]:  # type: ignore[empty-body]
    """Give kinds of class imbalance. A run calls it in its parent."""


@hookspec
def register_metrics() -> list[type[Metric]]:  # type: ignore[empty-body]
    """Give scores beyond those that every record holds. A run calls it in its parent."""


@hookspec
def register_executors() -> list[type[Executor]]:  # type: ignore[empty-body]
    """Give ways to run the cells of a sweep. A run calls it in its parent."""
