"""Suites and boards: which scenarios and seeds, which weighters, what is compared with what.

A suite is scenarios and seeds. A board is a suite with weighters, a reference, a metric and a
selection rule. Both are TOML files; a board file is a suite as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import structs

from benchbase.boards.conditions import scenario_text
from benchbase.boards.places import LEADERBOARDS, board_folder, board_name, find_board
from benchbase.boards.scenarios import scenarios_of
from benchbase.boards.selectors import (
    Selector,
    looks_like_path,
    parse_selector,
    parse_selectors,
)
from benchbase.boards.shape import BoardFile, MetricTable, Table, YardstickTable
from benchbase.boards.toml_file import at, read_toml
from benchbase.cell import Scenario
from benchbase.errors import UsageError
from benchbase.judging.clinical import problem_of

__all__ = [
    "LEADERBOARDS",
    "LEAST_SEEDS",
    "Board",
    "Suite",
    "board_folder",
    "boards_with_results",
    "find_board",
    "load_board",
    "load_suite",
]

LEAST_SEEDS = 3
"""Seeds that a provisional rank needs, and at how many a board's controls run."""
CEILINGS = ("weights", "labels")
"""Yardsticks that say what there is to win: run at all seeds."""


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
    noise_secret: str = ""
    """Fingerprint of the secret that split and noise are drawn with: no other cell is admitted.
    Empty where public seeds give them."""

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
    file = read_toml(path, BoardFile)
    suite = _suite(file, path, root)
    with at(path, "weighters"):
        if not file.weighters:
            raise UsageError("expected a list with at least one entry, got none")
        weighters = _rows(file.weighters, path)
    with at(path, "reference"):
        reference = _row(file.reference, path) if file.reference else weighters[0]
    with at(path, "controls"):
        controls = _rows(file.controls, path)
        for control in controls:
            if control in (*weighters, reference):
                raise UsageError(
                    f"{control.label!r} is a weighter or the reference of this board as well; a "
                    f"control runs at {LEAST_SEEDS} seeds and is never ranked: name it in one "
                    "place only"
                )
    with at(path, "metric_options.costs"):
        metric_options = _metric_options(file.metric_options, file.metric)
    return Board(
        name=board_name(path),
        title=file.title or suite.title,
        scenarios=suite.scenarios,
        seeds=_seeds(file, path) if file.seeds else suite.seeds,
        weighters=weighters,
        reference=reference,
        metric=file.metric,
        rule=file.rule,
        description=file.description.strip(),
        metric_options=metric_options,
        controls=controls,
        yardsticks=_yardsticks(file.yardsticks, path, (*weighters, reference, *controls)),
        frozen=file.frozen.strip(),
        noise_secret=file.noise_secret,
    )


def boards_with_results(root: Path = Path()) -> list[tuple[Path, Board]]:
    """Load the boards below ``root/leaderboards`` whose results count, with their folders.

    Those that are frozen or have no results yet are left out.

    Raises:
        UsageError: there is no board at all, or a board file says something wrong.
    """
    files = sorted((root / LEADERBOARDS).glob("*/board.toml"))
    if not files:
        raise UsageError(
            f"there is no {LEADERBOARDS}/*/board.toml here: run this in the folder that holds "
            f"{LEADERBOARDS}/"
        )
    boards = [(path.parent, load_board(str(path.resolve()))) for path in files]
    return [(folder, one) for folder, one in boards if has_results(folder) and not one.frozen]


def has_results(folder: Path) -> bool:
    """Tell whether there are committed results in a board's folder."""
    return (folder / "results").is_dir()


def load_suite(name: str, root: Path = Path()) -> Suite:
    """Read a suite: the scenarios and seeds of a board of that name, or of a TOML file.

    Raises:
        UsageError: there is none, or its file says something wrong; the message names the key.
    """
    path = find_board(name, root)
    return _suite(read_toml(path, BoardFile), path, root)


def _metric_options(table: MetricTable, metric: str) -> dict[str, Any]:
    if table.costs is not None:
        problem = problem_of(table.costs)
        if problem is not None:
            raise UsageError(f"{problem}, got {table.costs!r}")
    elif metric == "cost_avoided":
        raise UsageError("the metric cost_avoided needs them, such as [[0, 1], [5, 0]]")
    return _given(table)


def _yardsticks(
    table: YardstickTable, path: Path, rows: Collection[Selector]
) -> dict[str, Selector]:
    found = {}
    for kind, text in _given(table).items():
        with at(path, f"yardsticks.{kind}"):
            found[kind] = parse_selector(text)
            if found[kind] not in rows:
                raise UsageError(f"{text!r} is no row of this board: add it to the controls")
    return found


def _given(table: Table) -> dict[str, Any]:
    """Give what stands in a table."""
    return {key: value for key, value in structs.asdict(table).items() if value is not None}


def _rows(texts: Iterable[str | float], path: Path) -> tuple[Selector, ...]:
    return tuple(_checked(each, path) for each in parse_selectors(map(str, texts)))


def _row(text: str, path: Path) -> Selector:
    return _checked(parse_selector(text), path)


def _checked(selector: Selector, path: Path) -> Selector:
    """Refuse a file in a leaderboard: its row could not be told from another file's."""
    if path.name == "board.toml" and looks_like_path(selector.name):
        raise UsageError(
            f"{selector.label!r} is a file; a leaderboard names installed methods: make a "
            f"package of it, or run it beside the board with --plugin {selector.label}"
        )
    return selector


def _suite(file: BoardFile, path: Path, root: Path) -> Suite:
    """Give the scenarios that stand in a file, or in the one that it names."""
    if not file.suite:
        return _own_suite(file, path)
    with at(path, "suite"):
        if file.scenarios:
            raise UsageError("give either suite or scenarios, not both")
        beside = path.parent / file.suite
        there = beside if beside.is_file() else find_board(file.suite, root)
        other = read_toml(there, BoardFile)
        if other.suite:
            raise UsageError(
                f"{file.suite!r} names a suite itself; give one that holds [[scenarios]]"
            )
    return _own_suite(other, there)


def _own_suite(file: BoardFile, path: Path) -> Suite:
    with at(path, "scenarios"):
        if not file.scenarios:
            raise UsageError("expected at least one table headed [[scenarios]]")
    parts = enumerate(file.scenarios)
    scenarios = [one for i, part in parts for one in scenarios_of(part, path, f"scenarios[{i}]")]
    with at(path, "scenarios"):
        for index, scenario in enumerate(scenarios):
            if scenario in scenarios[:index]:
                text = scenario_text(scenario)
                raise UsageError(f"{text!r} on {scenario.data} stands there twice")
    name = board_name(path)
    return Suite(name, file.title or name, tuple(scenarios), _seeds(file, path))


def _seeds(file: BoardFile, path: Path) -> tuple[int, ...]:
    with at(path, "seeds"):
        if file.seeds is None:
            raise UsageError("expected how many, or a list such as [0, 3, 7]; there are none")
        seeds = tuple(range(file.seeds)) if isinstance(file.seeds, int) else file.seeds
        if len(set(seeds)) < len(seeds):
            raise UsageError(f"a seed stands there twice, got {list(seeds)}")
        return seeds
