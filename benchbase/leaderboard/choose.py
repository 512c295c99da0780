"""Which records a leaderboard is made of: one for each method, scenario and seed.

Records of several code versions may lie side by side. Every choice here is by what the records
say, never by their order or their scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from benchbase.boards.board import Board
from benchbase.boards.selectors import Selector, parse_selector
from benchbase.cell import GIVEN, Scenario, canonical_json, format_label
from benchbase.plugins.installed import normalise_distribution
from benchbase.records.record import Record
from benchbase.records.store import counting_attempt

Place = tuple[int, int]
"""Index of a scenario and of a seed of the board."""
Found = list[tuple[Place, Record]]
Point = tuple[str, Mapping[str, Any]]
"""A weighter's name and its options."""
Groups = dict[tuple[str, str, str], Found]
"""Name, options as JSON and distribution -> records."""
Identity = tuple[tuple[str, str], ...]
"""Names and values, sorted: what must be equal for two records to be comparable."""


@dataclass(frozen=True)
class Entry:
    """One row to be: a method, and the record that counts for each scenario and seed."""

    label: str
    name: str
    options: Mapping[str, Any]
    trusted: bool
    """False where all there is was run in one process (``--executor inline``)."""
    cells: Mapping[Place, Record]
    control: bool = False
    """Whether the board names it among its controls."""
    reference: bool = False
    """Whether the others are compared with it."""

    def planned_seeds(self, board: Board) -> tuple[int, ...]:
        """Give the seeds at which the board wants it run."""
        return board.control_seeds if self.control else board.seeds


@dataclass(frozen=True)
class _Method:
    """All records of what an entry is to be made of."""

    point: Point
    control: bool
    reference: bool
    found: Found


def choose(board: Board, records: Iterable[Record]) -> list[Entry]:
    """Find each method's records; a method without any has an entry without cells.

    All methods of one scenario and seed share one *condition* (data hashes, backbone source): the
    one that most methods ran, then the newest. Each method shows one *variant* (its source and
    version, torch, numerics): a trusted one first, then the one that covers most cells, then the
    newest.
    """
    placed = _placed(board, records)
    by_label = _by_method(board, placed)
    conditions = _conditions(by_label)
    return [_entry(label, method, conditions) for label, method in by_label.items()]


def _placed(board: Board, records: Iterable[Record]) -> Found:
    """Give the counting attempt of each key that belongs to the board, and its place."""
    scenarios = {_text(scenario): index for index, scenario in enumerate(board.scenarios)}
    seeds = {seed: index for index, seed in enumerate(board.seeds)}
    attempts: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        attempts[record.key].append(record)
    placed = []
    for key in sorted(attempts):
        counting = counting_attempt(attempts[key])
        if counting is None:
            continue
        scenario = scenarios.get(_text(counting.spec.scenario), -1)
        place = scenario, seeds.get(counting.spec.seed, -1)
        if min(place) >= 0:
            placed.append((place, counting))
    return placed


def _text(scenario: Scenario) -> str:
    return canonical_json(msgspec.to_builtins(scenario))


def _by_method(board: Board, placed: Found) -> dict[str, _Method]:
    """Group into rows by label, in the board's order, controls last.

    A row is one name, one setting of the options and one distribution. Where several
    distributions fit a bare name, the official one (see ``_official``) keeps the bare label; the
    others stand in rows of their own, called ``distribution:name``. Of a control, records at
    seeds at which controls do not run are left out.
    """
    groups: Groups = defaultdict(list)
    for place, record in placed:
        weighter = record.spec.weighter
        options = canonical_json(weighter.options)
        groups[weighter.name, options, weighter.distribution].append((place, record))
    contestants = dict.fromkeys((*board.weighters, board.reference))
    # The reference chooses first and controls last; of the rest, who is named with a distribution
    # chooses before the bare names.
    points = [
        (
            (text != board.reference, text not in contestants, not distribution),
            selector,
            distribution,
        )
        for text in dict.fromkeys((*contestants, *board.controls))
        for selector, distribution in _points(text)
    ]
    taken: set[tuple[str, str, str]] = set()
    rows_at = {
        at: _rows(*points[at][1:], groups, taken)
        for at in sorted(range(len(points)), key=lambda at: points[at][0])
    }
    methods: dict[str, _Method] = {}
    for at, ((other, control, _), _, _) in enumerate(points):
        seeds = board.control_seeds if control else board.seeds
        for number, (label, (point, found)) in enumerate(rows_at[at].items()):
            kept = [(place, record) for place, record in found if board.seeds[place[1]] in seeds]
            is_reference = not other and number == 0
            methods.setdefault(label, _Method(point, control, is_reference, kept))
    return methods


def _rows(
    selector: Selector, distribution: str, groups: Groups, taken: set[tuple[str, str, str]]
) -> dict[str, tuple[Point, Found]]:
    """Give the rows of one point: label -> records. What they show is taken for other points."""
    fitting: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
    count: dict[str, int] = {}
    for key, found in groups.items():
        name, _, owner = key
        options = found[0][1].spec.weighter.options
        fits = name == selector.name and distribution in ("", owner)
        if fits and _agree(options, dict(selector.settings)):
            label = format_label(name, options)
            fitting.setdefault(label, {}).setdefault(owner, []).append(key)
            count[label] = len(options)
    prefix = f"{distribution}:" if distribution else ""
    if not fitting:
        settings = {key: values[0] for key, values in selector.settings}
        label = prefix + format_label(selector.name, settings)
        return {label: ((selector.name, settings), [])}
    # A setting that equals its default is left out of a record, and only there.
    label = max(fitting, key=lambda each: (count[each], each))
    owners = fitting[label]
    official = _official({o: [f for key in owners[o] for f in groups[key]] for o in owners})
    rows: dict[str, tuple[Point, Found]] = {}
    for owner in sorted(owners, key=lambda owner: (owner != official, owner)):
        found = [one for key in owners[owner] if key not in taken for one in groups[key]]
        taken.update(owners[owner])
        if found:
            options = found[0][1].spec.weighter.options
            own = prefix if owner == official else f"{owner}:"
            rows[own + label] = (selector.name, options), found
    return rows


def _official(owners: Mapping[str, Found]) -> str:
    """Choose whose row keeps the bare name: who is installed before files and modules.

    Among several that are, the one with records in most places, then the one that came first.
    """

    def merit(owner: str) -> tuple[bool, int, str, str]:
        found = owners[owner]
        first = min(record.attempt for _, record in found)
        return owner in GIVEN, -len({place for place, _ in found}), first, owner

    return min(owners, key=merit)


def _points(text: str) -> list[tuple[Selector, str]]:
    """Expand a selector into its grid; beside each point the distribution that it names."""
    selector = parse_selector(text)
    owner, _, name = selector.name.rpartition(":")
    distribution = normalise_distribution(owner)
    return [(point, distribution) for point in Selector(name, selector.settings).points()]


def _agree(options: Mapping[str, Any], settings: Mapping[str, tuple[str, ...]]) -> bool:
    return all(
        key in settings and _equals(value, settings[key][0]) for key, value in options.items()
    )


def _equals(value: Any, text: str) -> bool:
    """Compare a recorded option with how it was typed: ``2.0`` and ``2`` are equal."""
    if value is None:
        return text.lower() == "none"
    if isinstance(value, bool):
        return (text.lower() in ("true", "yes", "on", "1")) == value
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except ValueError:
            return False
    return str(value) == text


def _condition(record: Record) -> Identity:
    spec = record.spec
    data = sorted((name, str(value)) for name, value in vars(spec.data).items())
    return (*data, ("backbone_source", spec.backbone_source))


def _variant(record: Record) -> tuple[bool, Identity]:
    """Tell code versions apart; options and scenario are the same in a row and a place."""
    spec = record.spec
    elsewhere = ("scenario", "seed", "data", "backbone_source", "weighter")
    values = msgspec.structs.asdict(spec).items()
    parts = [(name, str(value)) for name, value in values if name not in elsewhere]
    parts += [(name, str(v)) for name, v in vars(spec.weighter).items() if name != "options"]
    return record.trusted, tuple(sorted(parts))


def _conditions(by_label: Mapping[str, _Method]) -> dict[Place, Identity]:
    """Choose the condition of each place: most methods, then the newest."""
    methods: dict[tuple[Place, Identity], set[str]] = defaultdict(set)
    newest: dict[tuple[Place, Identity], str] = defaultdict(str)
    for label, method in by_label.items():
        for place, record in method.found:
            candidate = place, _condition(record)
            methods[candidate].add(label)
            newest[candidate] = max(newest[candidate], record.attempt)
    best: dict[Place, tuple[int, str, Identity]] = {}
    for (place, condition), labels in methods.items():
        merit = len(labels), newest[place, condition], condition
        best[place] = max(best.get(place, merit), merit)
    return {place: merit[2] for place, merit in best.items()}


def _entry(label: str, method: _Method, conditions: Mapping[Place, Identity]) -> Entry:
    name, options = method.point
    variants: dict[tuple[bool, Identity], dict[Place, list[Record]]] = defaultdict(dict)
    for place, record in method.found:
        if _condition(record) == conditions[place]:
            variants[_variant(record)].setdefault(place, []).append(record)
    if not variants:
        return Entry(label, name, options, True, {}, method.control, method.reference)

    def merit(variant: tuple[bool, Identity]) -> tuple[bool, int, str, Identity]:
        places = variants[variant]
        newest = max(record.attempt for records in places.values() for record in records)
        return variant[0], len(places), newest, variant[1]

    chosen = max(variants, key=merit)
    # Two keys in one place differ in nothing that tells variants apart: the rule of one cell.
    counting = {place: counting_attempt(rs) for place, rs in variants[chosen].items()}
    cells = {place: record for place, record in counting.items() if record is not None}
    return Entry(label, name, options, chosen[0], cells, method.control, method.reference)
