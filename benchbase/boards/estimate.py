"""How long a plan may take, from cells that ran before."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import msgspec

from benchbase.boards.plan import Plan
from benchbase.cell import Scenario, canonical_json
from benchbase.records.record import Record

_FREE = ("noise", "noise_options", "track")
"""What of a scenario changes neither the steps, nor the images, nor the network."""


def estimate_seconds(plan: Plan, records: Iterable[Record], slots: int) -> float | None:
    """Estimate the wall time of what is to do; None where some cell resembles none that ran.

    Cells resemble each other where they share data, sizes, network and recipe but for the number of
    epochs: these take the same time for an epoch. The median of the same weighter comes first, else
    that of all.
    """
    known: dict[tuple[str, str], list[float]] = {}
    for record in records:
        seconds = record.cost.seconds_total
        if record.status == "ok" and seconds:
            spec = record.spec
            kind, epochs = _kind(spec.scenario)
            for name in (spec.weighter.name, ""):
                known.setdefault((name, kind), []).append(seconds / epochs)
    medians = {each: statistics.median(values) for each, values in known.items()}
    total = 0.0
    kinds: dict[int, tuple[str, int]] = {}  # by scenario: thousands of cells share one
    for job in plan.to_do:
        scenario = job.cell.scenario
        if id(scenario) not in kinds:
            kinds[id(scenario)] = _kind(scenario)
        kind, epochs = kinds[id(scenario)]
        alike = ((job.cell.weighter.name, kind), ("", kind))
        found = next((medians[each] for each in alike if each in medians), None)
        if found is None:
            return None
        total += epochs * found
    return total / slots


def _kind(scenario: Scenario) -> tuple[str, int]:
    """Give what sets the time of an epoch, and the number of epochs."""
    recipe = {name: value for name, value in vars(scenario.recipe).items() if name != "epochs"}
    values = msgspec.to_builtins(scenario).items()
    kept = {name: value for name, value in values if name not in _FREE}
    return canonical_json({**kept, "recipe": recipe}), scenario.recipe.epochs
