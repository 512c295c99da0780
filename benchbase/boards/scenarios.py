"""The scenarios of a suite or a board, made of its tables."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from benchbase.boards.conditions import grid, parse_imbalance, parse_noise, parse_track
from benchbase.boards.own_data import is_own, noise_as_given, parse_own, track_as_given
from benchbase.boards.shape import ScenarioTable
from benchbase.boards.toml_file import at
from benchbase.cell import Recipe, Scenario
from benchbase.data.own.sources import SOURCES


def scenarios_of(table: ScenarioTable, path: Path, key: str) -> tuple[Scenario, ...]:
    """Make what one ``[[scenarios]]`` table stands for: a base, and what it is put under.

    Label fractions, noises and imbalances may be lists: a scenario for each combination.

    Raises:
        UsageError: a word in it means nothing; the message names the file and the key.
    """
    with at(path, f"{key}.dataset"):
        dataset, options = _data_set(table.dataset)
    options |= table.dataset_options
    is_own_data = dataset in SOURCES
    noise = noise_as_given(dataset, options, path.parent) if is_own_data else Scenario.noise
    usual_track = track_as_given(options) if is_own_data else Scenario.track
    with at(path, key):
        track = parse_track(table.track or usual_track)
        noises = parse_noise(",".join(map(str, table.noise or [noise])))
        imbalances = parse_imbalance(",".join(map(str, table.imbalance)))
    base = Scenario(
        dataset=dataset,
        dataset_options=options,
        train_size=table.train_size,
        label_budget=table.label_budget,
        track=track,
        backbone=table.backbone,
        backbone_options=table.backbone_options,
        recipe=Recipe(**msgspec.structs.asdict(table.recipe)),
    )
    fraction = table.label_fraction
    fractions = fraction if isinstance(fraction, tuple) else (fraction,)
    bases = [dataclasses.replace(base, label_fraction=each) for each in fractions]
    return tuple(scenario for each in bases for scenario in grid(each, noises, imbalances))


def _data_set(text: str) -> tuple[str, dict[str, Any]]:
    """Read a name, or where images of one's own are, with options in brackets."""
    return parse_own(text) if is_own(text) else (text, {})
