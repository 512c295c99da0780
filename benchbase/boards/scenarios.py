"""Reads the scenarios of a suite or a board from a table of TOML."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchbase.boards.conditions import grid, parse_imbalance, parse_noise, parse_track
from benchbase.boards.own_data import is_own, noise_as_given, parse_own
from benchbase.boards.toml_table import TomlTable
from benchbase.cell import Recipe, Scenario
from benchbase.data.own.sources import SOURCES
from benchbase.errors import UsageError

_RECIPE_INTEGERS = {
    "epochs": 1,
    "batch_size": 1,
    "trusted_batch_size": 1,
    "shift": 0,
    "steps_per_epoch": 1,
}
_RECIPE_NUMBERS = {"learning_rate": 100.0, "momentum": 1.0, "weight_decay": 100.0}
_SCENARIO_KEYS = (
    "dataset",
    "dataset_options",
    "train_size",
    "label_fraction",
    "label_budget",
    "noise",
    "imbalance",
    "track",
    "backbone",
    "backbone_options",
    "recipe",
)


def read_scenarios(table: TomlTable) -> tuple[Scenario, ...]:
    """Read one ``[[scenarios]]`` table: a base, and what it is put under.

    Label fractions, noises and imbalances may be lists: a scenario for each combination.

    Raises:
        UsageError: a key or a value is wrong; the message names the file and the key.
    """
    table.allow(_SCENARIO_KEYS)
    given = table.values
    default = Scenario()
    dataset, dataset_options = _data_set(table, default)
    is_own_data = dataset in SOURCES
    noise = noise_as_given(dataset, dataset_options, table.path.parent) if is_own_data else "none"
    base = Scenario(
        dataset=dataset,
        dataset_options=dataset_options,
        train_size=table.integer("train_size", 1) if "train_size" in given else None,
        label_budget=table.integer("label_budget", 0) if "label_budget" in given else None,
        track=table.text("track", "T0" if is_own_data else default.track),
        backbone=table.text("backbone", default.backbone),
        backbone_options=dict(table.table("backbone_options").values),
        recipe=_recipe(table.table("recipe")),
    )
    try:
        parse_track(base.track)
        noises = parse_noise(",".join(table.texts("noise", [noise])))
        imbalances = parse_imbalance(",".join(table.texts("imbalance", ["natural"])))
    except UsageError as error:
        table.fail("", str(error))
    fractions = table.numbers("label_fraction", 0, 1) if "label_fraction" in given else [None]
    bases = [dataclasses.replace(base, label_fraction=fraction) for fraction in fractions]
    return tuple(scenario for each in bases for scenario in grid(each, noises, imbalances))


def _data_set(table: TomlTable, default: Scenario) -> tuple[str, dict[str, Any]]:
    """Read a name, or where images of one's own are; options in brackets or in a table."""
    text = table.text("dataset", default.dataset)
    options = dict(table.table("dataset_options").values)
    if not is_own(text):
        return text, options
    try:
        name, said = parse_own(text)
    except UsageError as error:
        table.fail("dataset", str(error))
    return name, {**said, **options}


def _recipe(table: TomlTable) -> Recipe:
    table.allow((*_RECIPE_INTEGERS, *_RECIPE_NUMBERS, "schedule"))
    values: dict[str, Any] = {}
    for key in table.values:
        if key in _RECIPE_INTEGERS:
            values[key] = table.integer(key, _RECIPE_INTEGERS[key])
        elif key in _RECIPE_NUMBERS:
            values[key] = table.number(key, 0, _RECIPE_NUMBERS[key])
        else:
            values[key] = table.text(key, "", ("cosine", "constant"))
    return Recipe(**values)
