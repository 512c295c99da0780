"""Draws the labels of a scenario without its images: what predictions are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbase.cell import JSON, DataIdentity, Scenario
from benchbase.data.cache import prepare
from benchbase.data.contract import DataSet, Imbalance, Labels, Noise
from benchbase.data.corruption import describe_corruption
from benchbase.data.opening import draw, identity_of
from benchbase.data.secret import Secret


@dataclass(frozen=True, eq=False)
class DrawnLabels:
    """The labels that whatever is trained in a scenario at a seed is judged by."""

    identity: DataIdentity
    test: Labels
    validation: Labels
    """As observed."""
    validation_true: Labels
    corruption: JSON
    """What a record says of its data that the labels and the images give."""


def draw_labels(
    scenario: Scenario,
    seed: int,
    *,
    dataset: DataSet,
    noise: Noise,
    imbalance: Imbalance,
    roots: Sequence[Path],
    cache: Path,
    secret: Secret | None = None,
) -> DrawnLabels:
    """Draw what ``open_scenario`` would; no hash is taken from the cache.

    Raises:
        UsageError, DataError, RunError: as ``open_scenario``.
    """
    prepared = prepare(dataset, roots, cache)
    parts = prepared.parts
    observed = draw(prepared, scenario, seed, noise, imbalance, secret=secret)
    return DrawnLabels(
        identity_of(dataset, prepared, observed, secret),
        parts.test.labels,
        observed.validation,
        observed.validation_part.labels[observed.split.validation],
        {**describe_corruption(parts, observed, noise), "leakage": prepared.leakage},
    )
