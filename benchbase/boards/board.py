"""Suites and boards: which scenarios and seeds, which weighters, what is compared with what.

A suite is scenarios and seeds. A board is a suite with weighters, a reference, a metric and a
selection rule. Both are TOML files; a board file is a suite as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchbase.boards.conditions import (
    parse_seeds,
    scenario_text,
)
from benchbase.boards.places import LEADERBOARDS, board_folder, board_name, find_board
from benchbase.boards.scenarios import read_scenarios
from benchbase.boards.selectors import (
    Selector,
    looks_like_path,
    parse_selector,
    parse_selectors,
)
from benchbase.boards.toml_table import TomlTable
from benchbase.cell import Scenario
from benchbase.errors import UsageError
from benchbase.judging.clinical import problem_of
from benchbase.judging.scales import RANKABLE

__all__ = [
    "LEADERBOARDS",
    "LEAST_SEEDS",
    "RULES",
    "Board",
    "Suite",
    "board_folder",
    "find_board",
    "load_board",
    "load_suite",
]

RULES = ("tail", "last", "last5", "val_noisy")
"""Selection rules that may rank; ``val_clean`` and ``oracle`` are diagnostics."""
LEAST_SEEDS = 3
"""Seeds that a provisional rank needs, and at how many a board's controls run."""
CEILINGS = ("weights", "labels")
"""Yardsticks that say what there is to win: run at all seeds."""
YARDSTICKS = (*CEILINGS, "trusted")

_SUITE_KEYS = ("title", "description", "scenarios", "seeds")
_BOARD_KEYS = (
    *(*_SUITE_KEYS, "suite", "weighters", "controls", "reference", "metric", "metric_options"),
    *("rule", "frozen", "yardsticks"),
)


@dataclass(frozen=True)
class Suite:
    """A named list of scenarios, and the seeds at which each is run."""

    name: str
    title: str
    scenarios: tuple[Scenario, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Board:
    """What a leaderboard compares, and how."""

    name: str
    title: str
    scenarios: tuple[Scenario, ...]
    seeds: tuple[int, ...]
    weighters: tuple[Selector, ...]
    """One row each."""
    reference: Selector
    """The one that the others are compared with."""
    metric: str = "balanced_accuracy"
    rule: str = "tail"
    description: str = ""
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    """``specificity`` of the metric sensitivity; ``costs``, a row for each true class."""
    controls: tuple[Selector, ...] = ()
    """Run at the first ``LEAST_SEEDS`` seeds, compared there, never ranked."""
    yardsticks: Mapping[str, Selector] = field(default_factory=dict)
    """What rows of the board show: ``weights``, what perfect weights would bring; ``labels``, what
    right labels would; ``trusted``, what the checked images alone are worth."""
    frozen: str = ""
    """What its committed results were made under, where they count no more; else empty."""

    def seeds_of(self, control: Selector) -> tuple[int, ...]:
        """Give the seeds at which a control runs: the first few, and all for a ceiling."""
        ceilings = [self.yardsticks.get(kind) for kind in CEILINGS]
        return self.seeds if control in ceilings else self.seeds[:LEAST_SEEDS]


def load_board(name: str, root: Path = Path()) -> Board:
    """Read a board: a built-in name, a name below ``root/leaderboards``, or a TOML file.

    Raises:
        UsageError: there is none, or its file says something wrong; the message names the key.
    """
    path = find_board(name, root)
    table = TomlTable.read(path)
    table.allow(_BOARD_KEYS)
    suite = _board_suite(table, root)
    weighters = _selectors(table, "weighters")
    reference = _selector(table, "reference") if "reference" in table.values else weighters[0]
    controls = _selectors(table, "controls") if "controls" in table.values else ()
    for control in controls:
        if control in (*weighters, reference):
            table.fail(
                "controls",
                f"{control.label!r} is a weighter or the reference of this board as well; a "
                f"control runs at {LEAST_SEEDS} seeds and is never ranked: name it in one place "
                "only",
            )
    if path.name == "board.toml":
        named = {"weighters": weighters, "reference": [reference], "controls": controls}
        _refuse_files(table, named)
    return Board(
        name=board_name(path),
        title=table.text("title", suite.title),
        scenarios=suite.scenarios,
        seeds=_seeds(table) if "seeds" in table.values else suite.seeds,
        weighters=weighters,
        reference=reference,
        metric=table.text("metric", "balanced_accuracy", RANKABLE),
        rule=table.text("rule", "tail", RULES),
        metric_options=_metric_options(table),
        description=table.text("description", "").strip(),
        controls=controls,
        yardsticks=_yardsticks(table, (*weighters, reference, *controls)),
        frozen=table.text("frozen", "").strip(),
    )


def _metric_options(board: TomlTable) -> dict[str, Any]:
    table = board.table("metric_options")
    table.allow(("specificity", "costs"))
    options: dict[str, Any] = {}
    if "specificity" in table.values:
        options["specificity"] = table.number("specificity", 0, 1)
    if "costs" in table.values:
        options["costs"] = table.number_rows("costs", 0, 1e9)
        problem = problem_of(options["costs"])
        if problem is not None:
            table.fail("costs", problem)
    elif board.values.get("metric") == "cost_avoided":
        table.fail("costs", "the metric cost_avoided needs them, such as [[0, 1], [5, 0]]")
    return options


def load_suite(name: str, root: Path = Path()) -> Suite:
    """Read a suite: the scenarios and seeds of a board of that name, or of a TOML file.

    Raises:
        UsageError: there is none, or its file says something wrong; the message names the key.
    """
    path = find_board(name, root)
    table = TomlTable.read(path)
    table.allow(_BOARD_KEYS)
    return _board_suite(table, root)


def _yardsticks(board: TomlTable, rows: Sequence[Selector]) -> dict[str, Selector]:
    table = board.table("yardsticks")
    table.allow(YARDSTICKS)
    named = {kind: _selector(table, kind) for kind in table.values}
    for kind, selector in named.items():
        if selector not in rows:
            table.fail(kind, f"{selector.label!r} is no row of this board: add it to the controls")
    return named


def _selectors(table: TomlTable, key: str) -> tuple[Selector, ...]:
    try:
        return parse_selectors(table.texts(key, []))
    except UsageError as error:
        table.fail(key, str(error))


def _selector(table: TomlTable, key: str) -> Selector:
    try:
        return parse_selector(table.text(key, ""))
    except UsageError as error:
        table.fail(key, str(error))


def _refuse_files(table: TomlTable, named: Mapping[str, Sequence[Selector]]) -> None:
    """Refuse a file in a leaderboard: its row could not be told from another file's."""
    for key, selectors in named.items():
        for selector in selectors:
            if looks_like_path(selector.name):
                table.fail(
                    key,
                    f"{selector.label!r} is a file; a leaderboard names installed methods: make a "
                    f"package of it, or run it beside the board with --plugin {selector.label}",
                )


def _board_suite(table: TomlTable, root: Path) -> Suite:
    if "suite" not in table.values:
        return _own_suite(table)
    if "scenarios" in table.values:
        table.fail("suite", "give either suite or scenarios, not both")
    name = table.text("suite", "")
    beside = table.path.parent / name
    other = TomlTable.read(beside if beside.is_file() else find_board(name, root))
    other.allow(_BOARD_KEYS)
    if "suite" in other.values:
        table.fail("suite", f"{name!r} names a suite itself; give one that holds [[scenarios]]")
    return _own_suite(other)


def _own_suite(table: TomlTable) -> Suite:
    name = board_name(table.path)
    scenarios = [item for part in table.tables("scenarios") for item in read_scenarios(part)]
    for index, scenario in enumerate(scenarios):
        if scenario in scenarios[:index]:
            text = scenario_text(scenario)
            table.fail("scenarios", f"{text!r} on {scenario.data} stands there twice")
    return Suite(name, table.text("title", name), tuple(scenarios), _seeds(table))


def _seeds(table: TomlTable) -> tuple[int, ...]:
    value = table.values.get("seeds")
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return tuple(range(value))
    if not isinstance(value, list) or not value:
        table.fail("seeds", f"expected how many, or a list such as [0, 3, 7], got {value!r}")
    try:
        return parse_seeds(",".join(table.texts("seeds", [])) + ",")
    except UsageError as error:
        table.fail("", str(error))
