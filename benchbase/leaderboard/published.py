"""What others published of a board's methods, and whether the board can be compared with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from benchbase.boards.board import Board
from benchbase.boards.conditions import write_imbalance, write_noise
from benchbase.cell import Scenario
from benchbase.judging.statistics import Estimate, estimate
from benchbase.leaderboard.cells import RULE_NAMES
from benchbase.leaderboard.choose import Entry
from benchbase.leaderboard.compare import score_of

_TABLE = Path(__file__).with_suffix(".toml")
_SPREADS = 1.96
"""Published deviations that a published value may be off."""


class PublishedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number, in percent."""

    method: str
    """Weighter that is the same method here."""
    written: str
    """What the source calls it."""
    value: float
    spread: float | None = None
    """Deviation over seeds."""


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the numbers were measured on; None for what the source does not state."""

    dataset: str
    metric: str
    noise: str | None = None
    imbalance: str | None = None
    backbone: str | None = None
    epochs: int | None = None
    recipe: str | None = None
    rule: str | None = None
    seeds: int | None = None


class PublishedSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper or repository, and its rows of one setting."""

    name: str
    where: str
    """Repository and commit, or DOI."""
    rows: tuple[PublishedRow, ...]
    setting: Setting


@dataclass(frozen=True)
class Comparison:
    """One published number beside what the board has of the method."""

    source: PublishedSource
    row: PublishedRow
    own: Estimate | None
    """In percent, in the scenario that is most alike; None where nothing can be compared."""
    verdict: str
    """``within``, ``below``, ``above``, or ``not comparable: ...`` with every reason."""


def read_published(path: Path = _TABLE) -> tuple[PublishedSource, ...]:
    """Read the table of published results."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["sources"]
    return msgspec.convert(tables, tuple[PublishedSource, ...])


def comparisons(
    board: Board, entries: Sequence[Entry], sources: Sequence[PublishedSource]
) -> Iterator[Comparison]:
    """Compare each published number of a method that the board has, without options set."""
    by_name = {entry.name: entry for entry in entries if not entry.options}
    for source in sources:
        for row in source.rows:
            if row.method in by_name:
                yield _compared(board, by_name[row.method], source, row)


def _compared(board: Board, entry: Entry, source: PublishedSource, row: PublishedRow) -> Comparison:
    reasons = [differences(source.setting, scenario) for scenario in board.scenarios]
    index = min(range(len(reasons)), key=lambda i: len(reasons[i]))
    if reasons[index]:
        verdict = f"not comparable: {'; '.join(reasons[index])}"
        return Comparison(source, row, None, verdict)
    assert source.setting.rule is not None  # else that were a reason
    scores = [
        score_of(record, source.setting.rule, source.setting.metric)
        for record in entry.by_scenario.get(index, ())
    ]
    own = estimate(100 * np.array([score for score in scores if score is not None]))
    if own is None or own.low is None or own.high is None or None in scores:
        return Comparison(source, row, own, "not comparable: fewer than three seeds here")
    difference = own.mean - row.value
    room = (own.high - own.low) / 2 + _SPREADS * (row.spread or 0)
    side = "above" if difference > 0 else "below"
    return Comparison(source, row, own, "within" if abs(difference) <= room else side)


def differences(setting: Setting, scenario: Scenario) -> list[str]:
    """Say what keeps a scenario from being compared with a published setting."""
    pairs = {
        "data": (setting.dataset, scenario.data),
        "noise": (setting.noise, write_noise(scenario.noise, scenario.noise_options)),
        "imbalance": (
            setting.imbalance,
            write_imbalance(scenario.imbalance, scenario.imbalance_options),
        ),
        "network": (setting.backbone, scenario.backbone),
        "epochs": (setting.epochs, scenario.recipe.epochs),
    }
    found = [
        f"{name} {'not stated' if theirs is None else theirs}, here {ours}"
        for name, (theirs, ours) in pairs.items()
        if theirs != ours
    ]
    return found if setting.rule in RULE_NAMES else [*found, "rule of choice not stated"]
