"""benchbase: an honest benchmark of sample-weighting methods for images with wrong labels.

The public names, for plugin authors and for running boards from Python. They are loaded on first
use, so that importing this package for the command line does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbase.api import API_VERSION as API_VERSION
    from benchbase.api import Backbone as Backbone
    from benchbase.api import Batch as Batch
    from benchbase.api import Checkpoint as Checkpoint
    from benchbase.api import Classifier as Classifier
    from benchbase.api import Honesty as Honesty
    from benchbase.api import Images as Images
    from benchbase.api import ImageShape as ImageShape
    from benchbase.api import Losses as Losses
    from benchbase.api import LossWeighter as LossWeighter
    from benchbase.api import Need as Need
    from benchbase.api import Recipe as Recipe
    from benchbase.api import Step as Step
    from benchbase.api import Task as Task
    from benchbase.api import Weighter as Weighter
    from benchbase.api import hookimpl as hookimpl
    from benchbase.api import option as option
    from benchbase.boards.board import load_board as load_board
    from benchbase.cell import Invariances as Invariances
    from benchbase.data.card import Card as Card
    from benchbase.data.card import SourceFile as SourceFile
    from benchbase.data.contract import DataParts as DataParts
    from benchbase.data.contract import DataSet as DataSet
    from benchbase.data.contract import Imbalance as Imbalance
    from benchbase.data.contract import Noise as Noise
    from benchbase.data.contract import Part as Part
    from benchbase.errors import DataError as DataError
    from benchbase.judging.metrics import Metric as Metric
    from benchbase.leaderboard.results import load_results as load_results
    from benchbase.pipeline import run as run

__version__ = "0.1.0"

_HOMES = {
    "benchbase.api": (
        "API_VERSION Backbone Batch Checkpoint Classifier Honesty ImageShape Images LossWeighter "
        "Losses Need Recipe Step Task Weighter hookimpl option"
    ),
    "benchbase.boards.board": "load_board",
    "benchbase.cell": "Invariances",
    "benchbase.data.card": "Card SourceFile",
    "benchbase.data.contract": "DataParts DataSet Imbalance Noise Part",
    "benchbase.errors": "DataError",
    "benchbase.judging.metrics": "Metric",
    "benchbase.leaderboard.results": "load_results",
    "benchbase.pipeline": "run",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [*_HOME_OF]  # noqa: PLE0604 - computed once, pinned by a test


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'benchbase' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
