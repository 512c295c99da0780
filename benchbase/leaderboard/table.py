"""The leaderboard as frozen values: what each row says, before it becomes text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchbase.boards.board import Board
from benchbase.cell import GIVEN, JSON
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.headroom import Headroom

RANKED = "ranked"
PROVISIONAL = "provisional"
CONTROL = "control"
SEES_TRUTH = "uses the true labels"
FIRM_SEEDS = 5
"""Seeds that a firm rank needs; a provisional one needs ``LEAST_SEEDS``."""


@dataclass(frozen=True)
class ScenarioScore:
    """One method in one scenario."""

    score: Estimate | None
    """Over the seeds that were run; a failed one scores 0. None where none was run."""
    covered: int
    failures: int
    difference: Estimate | None = None
    """To the reference, paired by seed, as ``scenario_differences`` gives it."""


@dataclass(frozen=True)
class Cost:
    """What a row's cells took; None where nothing was measured."""

    relative_seconds: float | None
    """Training time against the reference's: median over cells that both finished on one device."""
    seconds_train: float | None
    """Median of a cell."""
    judge_share: float | None
    """Share of the time that went into judging."""
    peak_memory_bytes: int | None
    labels_bought: int
    seconds_per_step: float | None = None
    """Training time by the updates of all its networks."""
    images_with_gradient: float | None = None
    """Mean of a cell: images passed through networks with gradient."""
    steps: float | None = None
    """Share of the recipe's steps that the most updated network made, in the cell of fewest."""


@dataclass(frozen=True)
class LabelCurve:
    """One method's score against labels bought in one scenario, over the seeds that finished."""

    scenario: int
    labels_bought: tuple[int, ...]
    """The counts at which a checkpoint was judged at every one of these seeds."""
    scores: tuple[float, ...]
    """Means over seeds, of the finished model at each count."""
    area: Estimate | None
    """Area under the curve by the span of labels; None where a seed has no span."""
    seeds: int


@dataclass(frozen=True)
class Weighing:
    """What a row's reported weights were like: means over the score's cells that reported any."""

    auroc: float | None
    """Of *weight* for *label is right*; None where weights were all the same."""
    auroc_by_class: Mapping[str, float | None]
    """Observed class -> the same among the images with that label."""
    effective_sample_size: float | None
    """Kish's, as a share of the training images."""
    deviation: float | None
    """Of the weights divided by their mean."""
    clean_minority_near_zero: float | None
    """Share of the rightly labelled images of rare classes with next to no weight."""
    never_left_one: bool
    """Whether the weights of every cell were 1 for every image, all the time."""


@dataclass(frozen=True)
class ClassRecalls:
    """Recall of each class under the board's rule, in scenarios with the same training images."""

    title: str
    classes: tuple[str, ...]
    training_images: tuple[tuple[int, int], ...]
    """Fewest and most images of each class over these scenarios and seeds, true classes."""
    recalls: Mapping[str, tuple[float | None, ...]]
    """Row label -> mean over the cells that finished, for each class."""


@dataclass(frozen=True)
class Row:
    """One method."""

    label: str
    name: str
    options: Mapping[str, Any]
    standing: str
    """``ranked``, ``provisional``, ``control``, or why the row has no rank."""
    ranks: tuple[int, int] | None
    """Best and worst rank that the data leave open."""
    score: Estimate | None
    """Mean over scenarios, then over seeds; a failed cell scores 0."""
    difference: Estimate | None
    """Paired difference to the reference; None for the reference itself."""
    p: float | None
    """Exact sign-flip test of that difference, Holm-adjusted over the rows."""
    covered: int
    planned: int
    """Cells that the row should have."""
    failures: Mapping[str, int]
    """Status -> number of cells, ok apart."""
    cost: Cost
    needs: Mapping[str, str]
    """Declared need -> what was granted."""
    honesty: str
    oracle_gap: float | None
    """How much choosing the epoch on test labels would have added to the score."""
    last_epoch: float | None
    """The score of the finished model; a failed cell scores 0."""
    weighing: Weighing | None
    """None where weights were not reported."""
    scenarios: tuple[ScenarioScore, ...]
    rules: Mapping[str, float | None]
    """Selection rule -> mean of the board's metric over the score's cells that finished."""
    metrics: Mapping[str, float | None]
    """Metric -> mean under the board's rule over the score's cells that finished."""
    without_value: Mapping[str, str]
    """Metric -> why one of these cells has no value of it."""
    versions: Mapping[str, str]
    """Distribution, version, source hash and torch of the cells."""
    headroom: Headroom | None = None
    """None where the board names no ceiling for the row, and for ceilings themselves."""
    label_curves: tuple[LabelCurve, ...] = ()
    """One for each scenario in which labels were for sale."""
    evidence: str = ""
    """``self-reported`` or ``recomputed``, and which cells were replayed; empty without cells."""

    @property
    def weight_auroc(self) -> float | None:
        """How well its weights tell right labels from wrong ones; None where they do not."""
        return None if self.weighing is None else self.weighing.auroc

    @property
    def failed(self) -> int:
        """Cells that failed."""
        return sum(self.failures.values())

    @property
    def is_own(self) -> bool:
        """Whether its code was given as a file or a module, and is in no installed distribution."""
        return self.versions.get("distribution") in GIVEN

    @property
    def is_control(self) -> bool:
        """Whether the row is a yardstick, never ranked."""
        return self.standing == CONTROL

    @property
    def has_rank(self) -> bool:
        """Whether the row is ranked, be it provisionally."""
        return self.standing in (RANKED, PROVISIONAL)


@dataclass(frozen=True)
class Table:
    """A leaderboard; rows are in the order in which they are printed."""

    board: Board
    reference_label: str
    setting: str
    """One line: data, network, length of training, trusted images, seeds."""
    rows: tuple[Row, ...]
    scenario_labels: tuple[str, ...]
    not_identifiable: frozenset[int]
    """Scenarios in which the true class is not the most likely label: shown, not ranked."""
    blocks: str
    """What the paired differences are taken over: ``seeds`` or ``data sets``."""
    devices: tuple[str, ...]
    chance: str = ""
    """One line: what guessing scores; empty where that is unknown."""
    class_recalls: tuple[ClassRecalls, ...] = ()
    """One for each number of training images."""
    yardsticks: Mapping[str, str] = field(default_factory=dict)
    """What a row shows, of the board's yardsticks -> its label."""
    spread: float | None = None
    """Deviation of a ranked method's score in a block; None where nothing tells it."""
    augmentation: tuple[str, ...] = ()
    """A sentence for each data set: what augmentation may do to its images."""
    leaks: tuple[str, ...] = ()
    """A sentence for each data set of which images or groups are on both sides of a split."""
    as_given: tuple[str, ...] = ()
    """A sentence for each data set of which nobody knows how many labels are wrong."""
    corrections: tuple[str, ...] = ()
    """A sentence for each correction of labels: what it brought, and what judges that."""
    own_data: tuple[str, ...] = ()
    """What was read of images of one's own, a data set each."""

    @property
    def too_good(self) -> list[Row]:
        """Give the rows that are the reference in another's hands and surely beat it.

        Nobody can: the same method under the same seeds differs by its spread only.
        """
        reference = self.reference
        return [
            row
            for row in self.rows
            if row.name == reference.name
            and row.options == reference.options
            and row.difference is not None
            and row.difference.verdict == "better"
        ]

    cards: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Data set -> its card, label by label."""

    @property
    def planned(self) -> int:
        """Cells that each row should have, controls apart."""
        return len(self.board.scenarios) * len(self.board.seeds)

    @property
    def reference(self) -> Row:
        """The row that the others are compared with."""
        return next(row for row in self.rows if row.label == self.reference_label)

    def yardstick(self, kind: str) -> Row | None:
        """Give the row that shows ``weights``, ``labels`` or ``trusted``, where there is one."""
        label = self.yardsticks.get(kind)
        return next((row for row in self.rows if row.label == label), None)

    def to_json(self) -> JSON:
        """Give everything as a JSON object, numbers rounded to six decimals."""
        rows = [{**_plain(row), "failed": row.failed} for row in self.rows]
        board = msgspec.to_builtins(self.board) | {
            "weighters": [selector.label for selector in self.board.weighters],
            "controls": [selector.label for selector in self.board.controls],
            "reference": self.reference_label,
        }
        return {
            "schema": "benchbase-leaderboard-1",
            "board": board,
            "setting": self.setting,
            "chance": self.chance,
            "planned_cells": self.planned,
            "blocks": self.blocks,
            "devices": list(self.devices),
            "scenario_labels": list(self.scenario_labels),
            "not_identifiable": sorted(self.not_identifiable),
            "leaks": list(self.leaks),
            "as_given": list(self.as_given),
            "class_recalls": _plain(self.class_recalls),
            "rows": rows,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(item) for name, item in vars(value).items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
