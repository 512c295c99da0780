"""The shape of the TOML file that holds a board or a suite: its tables, keys and bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from benchbase.cell import Recipe, Scenario
from benchbase.judging.scales import RANKABLE

RULES = ("tail", "last", "last5", "val_noisy")
"""Selection rules that may rank; ``val_clean`` and ``oracle`` are diagnostics."""


def _one_of(names: Sequence[str]) -> Meta:
    return Meta(pattern=f"^({'|'.join(names)})$", description=f"one of {', '.join(names)}")


Text = Annotated[str, Meta(description="a text")]
Texts = Annotated[
    tuple[str | int | float, ...],
    Meta(min_length=1, description="a list with at least one entry, texts or numbers"),
]
Options = Annotated[dict[str, Any], Meta(description="a table")]
Number = Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")]
Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Whole = Annotated[int, Meta(ge=0, description="a whole number of at least 0")]
Positive = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file; nothing in TOML is null, so what is None does not stand there."""


class RecipeTable(Table, frozen=True):
    """``[scenarios.recipe]``."""

    epochs: Positive = Recipe.epochs
    batch_size: Positive = Recipe.batch_size
    trusted_batch_size: Positive = Recipe.trusted_batch_size
    learning_rate: Number = Recipe.learning_rate
    momentum: Share = Recipe.momentum
    weight_decay: Number = Recipe.weight_decay
    schedule: Annotated[str, _one_of(("cosine", "constant"))] = Recipe.schedule
    shift: Whole = Recipe.shift
    steps_per_epoch: Positive | None = Recipe.steps_per_epoch


class ScenarioTable(Table, frozen=True):
    """``[[scenarios]]``: a base, and lists of what it is put under."""

    dataset: Text = Scenario.dataset
    dataset_options: Options = {}
    train_size: Positive | None = None
    label_fraction: Annotated[
        Share | Annotated[tuple[Share, ...], Meta(min_length=1)] | None,
        Meta(description="a number from 0 to 1, or a list with at least one"),
    ] = None
    label_budget: Whole | None = None
    noise: Texts = ()
    imbalance: Texts = ("natural",)
    track: Text | None = None
    backbone: Text = Scenario.backbone
    backbone_options: Options = {}
    recipe: Annotated[RecipeTable, Meta(description="a table")] = RecipeTable()


class MetricTable(Table, frozen=True):
    """``[metric_options]``."""

    specificity: Share | None = None
    costs: (
        Annotated[
            list[list[Annotated[float, Meta(ge=0, le=1e9)]]],
            Meta(min_length=1, description="a list of rows of numbers from 0 to 1e9"),
        ]
        | None
    ) = None


class YardstickTable(Table, frozen=True):
    """``[yardsticks]``."""

    weights: Text | None = None
    labels: Text | None = None
    trusted: Text | None = None


class BoardFile(Table, frozen=True):
    """The file; a board names weighters, a suite none."""

    title: Text = ""
    description: Text = ""
    suite: Text = ""
    scenarios: Annotated[
        tuple[ScenarioTable, ...],
        Meta(min_length=1, description="at least one table headed [[scenarios]]"),
    ] = ()
    seeds: Annotated[
        Positive | Annotated[tuple[Whole, ...], Meta(min_length=1)] | None,
        Meta(description="how many, or a list such as [0, 3, 7]"),
    ] = None
    weighters: Texts = ()
    controls: Texts = ()
    reference: Text = ""
    metric: Annotated[str, _one_of(RANKABLE)] = "balanced_accuracy"
    metric_options: Annotated[MetricTable, Meta(description="a table")] = MetricTable()
    rule: Annotated[str, _one_of(RULES)] = "tail"
    frozen: Text = ""
    noise_secret: Annotated[
        str, Meta(pattern="^([0-9a-f]{16})?$", description="a secret's fingerprint, 16 digits")
    ] = ""
    yardsticks: Annotated[YardstickTable, Meta(description="a table")] = YardstickTable()
