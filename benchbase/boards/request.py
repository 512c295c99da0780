"""Reads what a run is asked for: a board, as its file says or with parts replaced."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import msgspec

from benchbase.boards.board import (
    Board,
    board_folder,
    load_board,
    load_suite,
)
from benchbase.boards.conditions import (
    grid,
    parse_imbalance,
    parse_noise,
    parse_seeds,
    parse_track,
)
from benchbase.boards.order import Order
from benchbase.boards.own_data import (
    is_own,
    noise_as_given,
    own_at,
    parse_own,
    track_as_given,
)
from benchbase.boards.places import find_board, is_built_in
from benchbase.boards.selectors import Selector, parse_selector, parse_selectors, settle
from benchbase.cell import CORRECTED, Scenario, canonical_json, content_hash
from benchbase.data.own.sources import SOURCES
from benchbase.data.own.verified import is_table
from benchbase.data.secret import Secret
from benchbase.errors import UsageError
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.options import options_of
from benchbase.plugins import Catalogue

DEFAULT_BOARD = "quick"
AS_GIVEN = {"noise_options": {}, "imbalance": "natural", "imbalance_options": {}}
"""How data of one's own are taken: no injected noise, their own class counts."""
_ONLY_OWN = "--size, --split, --trusted, --labels and --on-bad-image are for images of your own"
_FEW = 4
"""Scenarios that a title names one by one."""


@dataclass(frozen=True)
class Request:
    """A board to run, and where its results go."""

    board: Board
    written: Board
    """The board as its file says."""
    folder: Path | None
    """The leaderboard's folder, where its committed records lie."""
    beside: Path = Path()
    """The folder that files named by the scenarios' noises are relative to."""
    data_beside: Path = Path()
    """The folder that one's own data are relative to."""
    secret: Secret | None = None
    """What split and noise are drawn with; None draws them from public seeds."""

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


def read_request(order: Order, catalogue: Catalogue) -> Request:
    """Read a board and what replaces parts of it.

    Raises:
        UsageError: an option does not mean anything, or two exclude each other.
    """
    if order.board and order.suite:
        raise UsageError("--board and --suite exclude each other: a board has its own scenarios")
    name = order.board or DEFAULT_BOARD
    board = load_board(name)
    changes: dict[str, Any] = {}
    if order.suite:
        suite = load_suite(order.suite)
        changes |= {
            "name": suite.name,
            "title": suite.title,
            "scenarios": suite.scenarios,
            "seeds": suite.seeds,
            "description": "",
        }
    scenarios = _scenarios(changes.get("scenarios", board.scenarios), order, catalogue)
    if scenarios != board.scenarios:
        changes["scenarios"] = scenarios
    if order.seeds is not None:
        changes["seeds"] = parse_seeds(str(order.seeds))
    if order.dataset and is_own(order.dataset) and all(it.noise == "none" for it in scenarios):
        changes["controls"] = ()  # Which labels are wrong, nobody knows.
    if order.plugins:
        changes |= {"weighters": parse_selectors(order.plugins), "controls": (), "yardsticks": {}}
    changed = dataclasses.replace(board, **changes)
    asked = suite.scenarios if order.suite else board.scenarios
    if changed.scenarios != asked:
        changed = _named_by_content(changed)
    elif changed != board and not order.suite:
        title = f"{board.title} (changed on the command line)"
        changed = dataclasses.replace(changed, title=title, description="")
    # Cells that run now are not comparable with what a frozen board's folder holds.
    folder = board_folder(name) if order.board and not board.frozen else None
    own = find_board(order.suite or name).parent
    if folder is None or changed != board:
        changed = _apart_from_built_in(changed, order.suite or name)
    secret = _secret(order, board)
    if secret is not None and not board.noise_secret:
        changed, folder = _under_secret(changed, secret), None
    return Request(
        changed,
        board,
        folder,
        secret=secret,
        beside=Path() if order.noise else own,
        data_beside=Path() if order.dataset else own,
    )


def _secret(order: Order, board: Board) -> Secret | None:
    """Read the secret that was named.

    Raises:
        UsageError: the board is drawn with another one, or with one and none was named.
    """
    secret = None if order.secret is None else Secret.read(order.secret)
    if board.noise_secret and (secret is None or secret.fingerprint != board.noise_secret):
        came = "none was named" if secret is None else f"{order.secret} holds {secret.fingerprint}"
        raise UsageError(
            f"{board.name}: its split and noise are drawn with the secret {board.noise_secret}, "
            f"and {came}: name its file with --secret"
        )
    return secret


def _under_secret(board: Board, secret: Secret) -> Board:
    """Name a board apart that is run under a secret and whose file states none."""
    mark = secret.fingerprint
    return dataclasses.replace(board, name=f"{board.name}-{mark[:8]}", noise_secret=mark)


def _named_by_content(board: Board) -> Board:
    """Name a board whose scenarios are nobody's by what they are."""
    data = list(dict.fromkeys(scenario.data for scenario in board.scenarios))
    labels = scenario_labels(board.scenarios)
    what = "; ".join(labels) if len(labels) <= _FEW else f"{len(labels)} scenarios"
    return dataclasses.replace(
        board,
        name=f"{'-'.join(dict.fromkeys(map(_short, board.scenarios)))}-{_digest(board)}",
        title=f"{', '.join(data)}: {what} (chosen on the command line)",
        description="",
    )


def _short(scenario: Scenario) -> str:
    """Name a scenario's data so that a folder can be called by it."""
    options = scenario.dataset_options
    own = PurePath(options.get("path") or options.get("repository", "")).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{scenario.dataset}-{own}").strip("-")


def _apart_from_built_in(board: Board, given: str) -> Board:
    """Give a board of the user's another name than a built-in one's: tables go by the name."""
    if is_built_in(board.name) and given != board.name:
        return dataclasses.replace(board, name=f"{board.name}-{_digest(board)}")
    return board


def _digest(board: Board) -> str:
    return content_hash(msgspec.to_builtins(board.scenarios))[:8]


def _scenarios(
    scenarios: Sequence[Scenario], order: Order, catalogue: Catalogue
) -> tuple[Scenario, ...]:
    """Replace what the order names in each scenario; noise and imbalance make a new grid."""
    fields = {
        "train_size": order.train_size,
        "label_fraction": order.label_fraction,
        "label_budget": order.label_budget,
        "track": parse_track(order.track) if order.track else None,
    }
    changes: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    if order.dataset:
        changes = {**chosen_data_set(order, order.dataset, catalogue), **changes}
    elif _for_own_data(order) or order.labels:
        raise UsageError(f"{_ONLY_OWN}: name them, as --dataset folder:PATH")
    if order.backbone:
        name, options = _chosen("backbones", order.backbone, catalogue)
        changes |= {"backbone": name, "backbone_options": options}
    result: dict[str, Scenario] = {}
    noises = parse_noise(",".join(order.noise)) if order.noise else ()
    imbalances = parse_imbalance(",".join(order.imbalance)) if order.imbalance else ()
    for scenario in scenarios:
        recipe = scenario.recipe
        if order.epochs:
            recipe = dataclasses.replace(recipe, epochs=order.epochs)
        base = dataclasses.replace(scenario, recipe=recipe, **changes)
        for one in grid(base, noises, imbalances):
            for arm in (one, *([corrected(one, str(order.labels))] if order.labels else ())):
                result.setdefault(canonical_json(msgspec.to_builtins(arm)), arm)
    return tuple(result.values())


def corrected(scenario: Scenario, path: str) -> Scenario:
    """Give the scenario with labels as a table corrects them."""
    options = {**scenario.dataset_options, CORRECTED: path}
    return dataclasses.replace(scenario, dataset_options=options)


def _for_own_data(order: Order) -> dict[str, Any]:
    """Give the options of a data set of one's own that stand beside it."""
    trusted = None if order.trusted is None else str(order.trusted)
    said = {
        "size": order.size,
        "split_file": order.split and str(order.split),
        "trusted_file" if trusted and is_table(trusted) else "trusted_column": trusted,
        "on_bad_image": order.on_bad_image,
    }
    return {name: value for name, value in said.items() if value is not None}


def chosen_data_set(order: Order, text: str, catalogue: Catalogue) -> dict[str, Any]:
    """Read which data set is asked for; the labels of one's own are taken as given."""
    own = _for_own_data(order)
    if not is_own(text):
        if (meant := own_at(text)) and not catalogue.matching("datasets", text):
            raise UsageError(f"{text} is no name of a data set but a path: write {meant}")
        if own or order.labels:
            raise UsageError(f"{_ONLY_OWN}, which {text} is not")
        name, options = _chosen("datasets", text, catalogue)
        return {"dataset": name, "dataset_options": options}
    name, options = parse_own(text)
    if twice := own.keys() & options.keys():
        raise UsageError(f"{text!r}: {min(twice)} stands there, and beside it as well: say it once")
    options |= settle(Selector(name, tuple(own.items())), options_of(SOURCES[name]))
    taken = {"noise": noise_as_given(name, options, Path()), "track": track_as_given(options)}
    return {"dataset": name, "dataset_options": options, **taken, **AS_GIVEN}


def _chosen(kind: str, text: str, catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Read ``name[option=value]``, typed by what the plugin declares; a grid is refused."""
    selector = parse_selector(text)
    return selector.target, settle(selector, catalogue.find(kind, selector.target).options)
