"""Name -> class for what benchbase itself needs: one owner a name; the nearest where there is none.

Weighters are not here: they come from files and modules too (``plugins.load_weighters``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchbase.errors import PluginError, UsageError
from benchbase.options import unknown
from benchbase.plugins.classes import name_of
from benchbase.plugins.discovery import Found, find_one, matching
from benchbase.plugins.loading import load, load_all

if TYPE_CHECKING:
    from benchbase.api import Backbone
    from benchbase.data.contract import DataSet, Imbalance, Noise
    from benchbase.judging.metrics import Metric
    from benchbase.running.executors.contract import Executor


def dataset(name: str) -> type[DataSet]:
    """Give the data set called ``name`` or ``distribution:name``.

    Raises:
        UsageError: nobody brings it, or several distributions do.
        PluginError: its plugin does not load.
    """
    cls: type[DataSet] = load(find_one("datasets", name))
    return cls


def noise(kind: str) -> type[Noise]:
    """Give the kind of label noise called ``kind``; raises as ``dataset`` does."""
    from benchbase.data.contract import Noise

    cls: type[Noise] = _corruption(kind, Noise, "noise")
    return cls


def imbalance(kind: str) -> type[Imbalance]:
    """Give the kind of imbalance called ``kind``; raises as ``dataset`` does."""
    from benchbase.data.contract import Imbalance

    cls: type[Imbalance] = _corruption(kind, Imbalance, "imbalance")
    return cls


def _corruption(kind: str, base: type, what: str) -> type[Any]:
    # Noise and imbalance share an entry-point group: which is which, only their classes tell.
    if matching("corruptions", kind):
        cls = load(find_one("corruptions", kind))
        if issubclass(cls, base):
            return cls
    names = [one.name for one, cls in load_all("corruptions")[0] if issubclass(cls, base)]
    raise UsageError(unknown(f"kind of {what}", kind, names))


def backbone(name: str) -> type[Backbone]:
    """Give the network called ``name`` (imports torch); raises as ``dataset`` does."""
    cls: type[Backbone] = load(found_backbone(name))
    return cls


def found_backbone(name: str) -> Found:
    """Find the network called ``name`` without importing it.

    Raises:
        UsageError: nobody brings it, or several distributions do.
    """
    return find_one("backbones", name)


def executor(name: str) -> type[Executor]:
    """Give the executor called ``name``; raises as ``dataset`` does."""
    cls: type[Executor] = load(find_one("executors", name))
    return cls


def metrics() -> dict[str, type[Metric]]:
    """Give every extra score that loads, by name; broken ones are left out.

    Raises:
        PluginError: two distributions bring one name, or one is broken and
            ``BENCHBASE_STRICT=1`` is set.
    """
    metrics: dict[str, type[Metric]] = {}
    for found, cls in load_all("metrics")[0]:
        name = name_of("metrics", cls) or found.name
        if name in metrics:
            raise PluginError(
                f"two distributions bring a metric called {name!r}: leave one out with "
                "BENCHBASE_PLUGINS"
            )
        metrics[name] = cls
    return metrics
