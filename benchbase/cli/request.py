"""What ``benchbase run`` is asked for: a board, as written or changed by options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchbase.boards.board import (
    Board,
    ImbalanceChoice,
    NoiseChoice,
    board_folder,
    grid,
    load_board,
    load_suite,
    parse_imbalance,
    parse_noise,
    parse_seeds,
    parse_track,
)
from benchbase.boards.places import find_board, is_built_in
from benchbase.cell import Scenario, canonical_json, content_hash
from benchbase.errors import UsageError
from benchbase.leaderboard.pages.captions import scenario_labels

DEFAULT_BOARD = "quick"
_FEW = 4
"""Scenarios that a title names one by one."""


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    board: Board
    written: Board
    """The board as its file says."""
    folder: Path | None
    """The leaderboard's folder, where its committed records lie."""
    beside: Path = Path()
    """The folder that files named by the scenarios are relative to."""

    @property
    def as_written(self) -> bool:
        """Whether the board is run as its file says; only then is its folder rewritten."""
        return self.board == self.written

    @property
    def notice(self) -> str:
        """What the user must know before anything runs; empty where there is nothing."""
        if not self.written.frozen:
            return ""
        return (
            f"{self.written.name}: its results were made under {self.written.frozen} and are being "
            "made anew; they count for nothing here: every cell runs, and the table goes to the "
            "home folder"
        )


def read_request(given: Mapping[str, Any]) -> Request:
    """Read the options of ``benchbase run``: a board, and what replaces parts of it.

    Raises:
        UsageError: an option does not mean anything, or two exclude each other.
    """
    if given["board_name"] and given["suite"]:
        raise UsageError("--board and --suite exclude each other: a board has its own scenarios")
    name = given["board_name"] or DEFAULT_BOARD
    board = load_board(name)
    changes: dict[str, Any] = {}
    if given["suite"]:
        suite = load_suite(given["suite"])
        changes |= {
            "name": suite.name,
            "title": suite.title,
            "scenarios": suite.scenarios,
            "seeds": suite.seeds,
            "description": "",
        }
    scenarios = _scenarios(changes.get("scenarios", board.scenarios), given)
    if scenarios != board.scenarios:
        changes["scenarios"] = scenarios
    if given["seeds"]:
        changes["seeds"] = parse_seeds(given["seeds"])
    if given["plugins"]:
        changes |= {"weighters": given["plugins"], "controls": ()}
    changed = dataclasses.replace(board, **changes)
    asked = suite.scenarios if given["suite"] else board.scenarios
    if changed.scenarios != asked:
        changed = _named_by_content(changed)
    elif changed != board and not given["suite"]:
        title = f"{board.title} (changed on the command line)"
        changed = dataclasses.replace(changed, title=title, description="")
    # Cells that run now are not comparable with what a frozen board's folder holds.
    folder = board_folder(name) if given["board_name"] and not board.frozen else None
    own = Path() if given["noise"] else find_board(given["suite"] or name).parent
    if folder is None or changed != board:
        changed = _apart_from_built_in(changed, given["suite"] or name)
    return Request(changed, board, folder, own)


def _named_by_content(board: Board) -> Board:
    """Name a board whose scenarios are nobody's by what they are."""
    data = list(dict.fromkeys(scenario.dataset for scenario in board.scenarios))
    labels = scenario_labels(board.scenarios)
    what = "; ".join(labels) if len(labels) <= _FEW else f"{len(labels)} scenarios"
    return dataclasses.replace(
        board,
        name=f"{'-'.join(data)}-{_digest(board)}",
        title=f"{', '.join(data)}: {what} (chosen on the command line)",
        description="",
    )


def _apart_from_built_in(board: Board, given: str) -> Board:
    """Give a board of the user's another name than a built-in one's: tables go by the name."""
    if is_built_in(board.name) and given != board.name:
        return dataclasses.replace(board, name=f"{board.name}-{_digest(board)}")
    return board


def _digest(board: Board) -> str:
    return content_hash(msgspec.to_builtins(board.scenarios))[:8]


def _scenarios(scenarios: Sequence[Scenario], given: Mapping[str, Any]) -> tuple[Scenario, ...]:
    """Replace what the options name in each scenario; noise and imbalance make a new grid."""
    fields = {
        "dataset": given["dataset"],
        "train_size": given["train_size"],
        "label_fraction": given["label_fraction"],
        "label_budget": given["label_budget"],
        "backbone": given["backbone"],
        "track": parse_track(given["track"]) if given["track"] else None,
    }
    changes: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    if given["dataset"]:
        changes["dataset_options"] = {}
    if given["backbone"]:
        changes["backbone_options"] = {}
    result: dict[str, Scenario] = {}
    noises = parse_noise(",".join(given["noise"])) if given["noise"] else None
    imbalances = parse_imbalance(",".join(given["imbalance"])) if given["imbalance"] else None
    for scenario in scenarios:
        recipe = scenario.recipe
        if given["epochs"]:
            recipe = dataclasses.replace(recipe, epochs=given["epochs"])
        base = dataclasses.replace(scenario, recipe=recipe, **changes)
        own_noise = NoiseChoice(base.noise, base.noise_rate, base.noise_options)
        own_imbalance = ImbalanceChoice(base.imbalance, base.imbalance_ratio)
        for one in grid(base, noises or [own_noise], imbalances or [own_imbalance]):
            result.setdefault(canonical_json(msgspec.to_builtins(one)), one)
    return tuple(result.values())
