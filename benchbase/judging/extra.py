"""Scores beyond those of every record, from plugins and from boards: what they may do and break.

They run in the parent, which knows the truth and scores all cells, so each is given copies of its
own, and whatever it does wrong costs its own values only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from benchbase.cell import canonical_json
from benchbase.data.contract import Labels
from benchbase.judging.metrics import Logits, Metric, Score, Undefined
from benchbase.options import settings_of

LONGEST_REASON = 300


@dataclass(frozen=True)
class Extra:
    """A metric of a run."""

    metric: Metric
    version: str
    """Of the metric and its options; values of two versions never share a column."""

    @classmethod
    def of(cls, metric: Metric, code: str) -> Extra:
        """Give the metric the version that it declares, or else that of its code."""
        options = settings_of(metric)
        version = type(metric).version or f"code {code[:12]}"
        return cls(metric, f"{version} {canonical_json(options)}" if options else version)

    @property
    def name(self) -> str:
        """Name of the metric."""
        return self.metric.name

    def score(self, logits: Logits, labels: Labels) -> Score:
        """Score one checkpoint's predictions, or say why there is no value."""
        given = logits.astype(np.float32), labels.copy()
        for array in given:
            array.setflags(write=False)
        try:
            value = self.metric.score(*given)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code
            return self._failed(f"raised {type(error).__name__}: {error}")
        if not isinstance(value, Real) or isinstance(value, bool):
            return self._failed(f"gave {type(value).__name__}, expected a number")
        if not math.isfinite(value):
            return self._failed(f"gave {float(value)}")
        return float(value)

    def _failed(self, what: str) -> Undefined:
        text = " ".join(f"the metric {self.name} {what}".split())
        return Undefined(text[:LONGEST_REASON])
