"""What benchbase itself brings, by the same hooks as anyone's plugin.

Each function imports what it returns when it is called, as a plugin's should: the parent of a run
asks for data sets and metrics only, and must not load a network for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchbase.hookspecs import hookimpl

if TYPE_CHECKING:
    from benchbase.api import Backbone
    from benchbase.data.contract import DataSet, Imbalance, Noise
    from benchbase.running.executors.contract import Executor

BENCHBASE_API = 2


@hookimpl
def register_backbones() -> list[type[Backbone]]:
    """Bring the networks."""
    from benchbase.backbones.resnet32 import ResNet32
    from benchbase.backbones.small_cnn import SmallCNN
    from benchbase.backbones.torchvision_families import FAMILIES

    return [SmallCNN, ResNet32, *FAMILIES]


@hookimpl
def register_datasets() -> list[type[DataSet]]:
    """Bring the data sets that need no plugin, and the readers of one's own images."""
    from benchbase.data.digits import Digits
    from benchbase.data.fashion_mnist import FashionMNIST
    from benchbase.data.nuclei import Nuclei
    from benchbase.data.own.sources import SOURCES

    return [Nuclei, FashionMNIST, Digits, *SOURCES.values()]


@hookimpl
def register_noises() -> list[type[Noise]]:
    """Bring the kinds of label noise."""
    from benchbase.data import noise

    return [*noise.KINDS]


@hookimpl
def register_imbalances() -> list[type[Imbalance]]:
    """Bring the kinds of class imbalance."""
    from benchbase.data.imbalance import Exponential, Natural, Step

    return [Natural, Exponential, Step]


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Bring the ways to run a sweep on this machine."""
    from benchbase.running.executors.inline import InlineExecutor
    from benchbase.running.executors.local import LocalExecutor

    return [LocalExecutor, InlineExecutor]
