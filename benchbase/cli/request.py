"""What ``benchbase run`` is asked for: a board, as written or changed by options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from benchbase.cell import Scenario, canonical_json
from benchbase.errors import UsageError

DEFAULT_BOARD = "quick"


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    board: Board
    written: Board
    """The board as its file says."""
    folder: Path | None
    """The leaderboard's folder, where its committed records lie."""

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
    if changed != board and "name" not in changes:
        title = f"{board.title} (changed on the command line)"
        changed = dataclasses.replace(changed, title=title, description="")
    # Cells that run now are not comparable with what a frozen board's folder holds.
    folder = board_folder(name) if given["board_name"] and not board.frozen else None
    return Request(changed, board, folder)


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
            result.setdefault(canonical_json(one.to_json()), one)
    return tuple(result.values())
