"""Which records a leaderboard is made of: one for each method, scenario and seed.

Records of several code versions may lie side by side. Every choice here is by what the records
say, never by their order or their scores.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchbase.cell import JSON, Scenario, canonical_json, format_label
from benchbase.options import Selector, parse_selector
from benchbase.scenario import Board
from benchbase.store import counting_attempt

Place = tuple[int, int]
"""Index of a scenario and of a seed of the board."""
Found = list[tuple[Place, JSON]]
Point = tuple[str, dict[str, Any]]
"""A weighter's name and its options."""
Identity = tuple[tuple[str, str], ...]
"""Names and values, sorted: what must be equal for two records to be comparable."""


@dataclass(frozen=True)
class Entry:
    """One row to be: a method, and the record that counts for each scenario and seed."""

    label: str
    name: str
    options: Mapping[str, Any]
    trusted: bool
    """False where all there is was run in one process (``--inline``)."""
    cells: Mapping[Place, JSON]


def choose(board: Board, records: Iterable[JSON]) -> list[Entry]:
    """Find each method's records; a method without any has an entry without cells.

    All methods of one scenario and seed share one *condition* (data hashes, backbone source): the
    one that most methods ran, then the newest. Each method shows one *variant* (its source and
    version, torch, numerics): a trusted one first, then the one that covers most cells, then the
    newest.
    """
    placed = _placed(board, records)
    by_label = _by_method(board, placed)
    conditions = _conditions(by_label)
    return [_entry(label, point, found, conditions) for label, (point, found) in by_label.items()]


def _placed(board: Board, records: Iterable[JSON]) -> Found:
    """Give the counting attempt of each key that belongs to the board, and its place."""
    scenarios = {canonical_json(s.to_json()): index for index, s in enumerate(board.scenarios)}
    seeds = {seed: index for index, seed in enumerate(board.seeds)}
    attempts: dict[str, list[JSON]] = defaultdict(list)
    for record in records:
        attempts[record["key"]].append(record)
    placed = []
    for key in sorted(attempts):
        counting = counting_attempt(attempts[key])
        if counting is None:
            continue
        scenario = counting["spec"]["scenario"]
        text = canonical_json(scenario)
        if text not in scenarios:
            scenarios[text] = scenarios.get(_completed(scenario), -1)
        place = scenarios[text], seeds.get(counting["spec"]["seed"], -1)
        if min(place) >= 0:
            placed.append((place, counting))
    return placed


def _completed(scenario: JSON) -> str:
    """Add the defaults of fields that the record's version did not have yet."""
    try:
        return canonical_json(Scenario.from_json(scenario).to_json())
    except TypeError:  # a field that this version does not have: another condition
        return ""


def _by_method(board: Board, placed: Found) -> dict[str, tuple[Point, Found]]:
    """Group by row label, in the board's order."""
    groups: dict[tuple[str, str, str], Found] = defaultdict(list)
    for place, record in placed:
        weighter = record["spec"]["weighter"]
        options = canonical_json(weighter["options"])
        groups[weighter["name"], options, weighter["distribution"]].append((place, record))
    rows: dict[str, tuple[Point, Found]] = {}
    for text in (*board.weighters, board.reference):
        for selector, prefix, distribution in _points(text):
            fitting: dict[str, tuple[Point, Found]] = {}
            for (name, _, owner), found in groups.items():
                options = found[0][1]["spec"]["weighter"]["options"]
                fits = name == selector.name and distribution in ("", owner)
                if fits and _agree(options, dict(selector.settings)):
                    label = prefix + format_label(name, options)
                    fitting.setdefault(label, ((name, options), []))[1].extend(found)
            if fitting:
                # A setting that equals its default is left out of a record, and only there.
                label = max(fitting, key=lambda each: (len(fitting[each][0][1]), each))
                rows.setdefault(label, fitting[label])
            else:
                settings = {key: values[0] for key, values in selector.settings}
                label = prefix + format_label(selector.name, settings)
                rows.setdefault(label, ((selector.name, settings), []))
    return rows


def _points(text: str) -> list[tuple[Selector, str, str]]:
    """Expand a selector into its grid; beside each point ``distribution:`` and that name."""
    selector = parse_selector(text)
    distribution, colon, name = selector.name.rpartition(":")
    axes = [[(key, (value,)) for value in values] for key, values in selector.settings]
    return [
        (Selector(name, settings), distribution + colon, distribution)
        for settings in itertools.product(*axes)
    ]


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


def _condition(record: JSON) -> Identity:
    spec = record["spec"]
    return (*sorted(spec["data"].items()), ("backbone_source", spec["backbone_source"]))


def _variant(record: JSON) -> tuple[bool, Identity]:
    """Tell code versions apart; options and scenario are the same in a row and a place."""
    spec = record["spec"]
    elsewhere = ("scenario", "seed", "data", "backbone_source", "weighter")
    parts = [(name, str(value)) for name, value in spec.items() if name not in elsewhere]
    parts += [(name, str(v)) for name, v in spec["weighter"].items() if name != "options"]
    return record["trusted"], tuple(sorted(parts))


def _conditions(rows: Mapping[str, tuple[Point, Found]]) -> dict[Place, Identity]:
    """Choose the condition of each place: most methods, then the newest."""
    methods: dict[tuple[Place, Identity], set[str]] = defaultdict(set)
    newest: dict[tuple[Place, Identity], str] = defaultdict(str)
    for label, (_, found) in rows.items():
        for place, record in found:
            candidate = place, _condition(record)
            methods[candidate].add(label)
            newest[candidate] = max(newest[candidate], record["attempt"])
    best: dict[Place, tuple[int, str, Identity]] = {}
    for (place, condition), labels in methods.items():
        merit = len(labels), newest[place, condition], condition
        best[place] = max(best.get(place, merit), merit)
    return {place: merit[2] for place, merit in best.items()}


def _entry(label: str, point: Point, found: Found, conditions: Mapping[Place, Identity]) -> Entry:
    variants: dict[tuple[bool, Identity], dict[Place, JSON]] = defaultdict(dict)
    for place, record in found:
        if _condition(record) == conditions[place]:
            variants[_variant(record)][place] = record
    if not variants:
        return Entry(label, *point, trusted=True, cells={})

    def merit(variant: tuple[bool, Identity]) -> tuple[bool, int, str, Identity]:
        cells = variants[variant]
        newest = max(record["attempt"] for record in cells.values())
        return variant[0], len(cells), newest, variant[1]

    chosen = max(variants, key=merit)
    return Entry(label, *point, trusted=chosen[0], cells=variants[chosen])
