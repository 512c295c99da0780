"""Scores that a board sets up for its own question: sensitivity at a specificity, and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Labels
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import Logits, Metric, log_odds
from benchbase.judging.ranking import Ranking

SPECIFICITY = 0.9

Costs = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Sensitivity(Metric):
    """Share of the second class found where so much of the first is left alone."""

    specificity: float = SPECIFICITY

    name = "sensitivity"
    version = "1"

    def score(self, logits: Logits, labels: Labels) -> float:
        """Take the best threshold on these images that keeps the specificity."""
        if logits.shape[1] != 2:
            raise ValueError(f"it is about two classes, there are {logits.shape[1]}")
        ranking = Ranking.of(log_odds(logits)[:, 1], labels == 1)
        if ranking is None:
            raise ValueError("all images are of one class")
        return ranking.sensitivity(self.specificity)


@dataclass(frozen=True)
class ExpectedCost(Metric):
    """Mean cost of an answer, in the board's own units: lower is better."""

    costs: Costs
    """Row: the true class; column: the answer; 0 for right answers."""

    name = "expected_cost"
    version = "1"

    def score(self, logits: Logits, labels: Labels) -> float:
        """Charge each image for its answer."""
        return float(_table(self.costs, logits)[labels, logits.argmax(axis=1)].mean())


@dataclass(frozen=True)
class CostAvoided(Metric):
    """Share of the cost of the dearest answers that was avoided.

    Higher is better, from 0 (a failed cell) to 1, whatever the units; where all mistakes cost the
    same it is accuracy.
    """

    costs: Costs

    name = "cost_avoided"
    version = "1"

    def score(self, logits: Logits, labels: Labels) -> float:
        """Compare the cost of the answers with the dearest that could be given."""
        dearest = _table(self.costs, logits).max(axis=1)[labels].mean()
        if dearest == 0:
            raise ValueError("no mistake on these images costs anything")
        return 1 - ExpectedCost(self.costs).score(logits, labels) / float(dearest)


def _table(costs: Costs, logits: Logits) -> NDArray[np.float64]:
    table = np.array(costs, dtype=np.float64)
    classes = logits.shape[1]
    if table.shape != (classes, classes):
        raise ValueError(f"{len(table)} classes have costs, there are {classes}")
    return table


def board_metrics(metric: str, options: Mapping[str, Any]) -> tuple[Extra, ...]:
    """Give the scores that a board's metric and ``metric_options`` ask for."""
    found: list[Metric] = []
    if metric == Sensitivity.name or "specificity" in options:
        found.append(Sensitivity(options.get("specificity", SPECIFICITY)))
    if "costs" in options:
        costs = tuple(tuple(row) for row in options["costs"])
        found += [CostAvoided(costs), ExpectedCost(costs)]
    return tuple(Extra.of(each, "") for each in found)


def problem_of(costs: Sequence[Sequence[float]]) -> str | None:
    """Say what is wrong with a table of costs; None for a good one."""
    if any(len(row) != len(costs) for row in costs):
        return "expected a square table: a row for each true class, a column for each answer"
    if any(row[c] != 0 for c, row in enumerate(costs)):
        return "expected 0 on the diagonal, for right answers"
    if not any(value for row in costs for value in row):
        return "expected a mistake that costs something"
    return None
