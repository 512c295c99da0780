"""Which records a leaderboard is made of: one for each method, scenario and seed.

Records of several code versions may lie side by side. Every choice here is by what the records
say, never by their order or their scores.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchbase.boards.board import Board
from benchbase.boards.selectors import Selector
from benchbase.cell import GIVEN, Scenario, Spec, WeighterSpec, format_label
from benchbase.data.secret import secret_of
from benchbase.records.record import Record
from benchbase.records.store import counting_attempt

Place = tuple[int, int]
"""Index of a scenario and of a seed of the board."""
Found = list[tuple[Place, Record]]
Condition = tuple[bytes, str]
"""Data hashes and backbone source: what must be equal for two records to be comparable."""
Variant = tuple[bool, tuple[str | int, ...]]
"""Whether records are trusted, and which code they are of."""


@dataclass(frozen=True)
class Entry:
    """One row to be: a method, and the record that counts for each scenario and seed."""

    label: str
    name: str
    options: Mapping[str, Any]
    trusted: bool = True
    """False where all there is was run in one process (``--executor inline``)."""
    cells: Mapping[Place, Record] = field(default_factory=dict)
    """In the order of the places."""
    control: bool = False
    """Whether the board names it among its controls."""
    reference: bool = False
    """Whether the others are compared with it."""
    yardstick: str = ""
    """What it shows, of the board's yardsticks."""
    seeds: tuple[int, ...] = ()
    """At which the board wants it run."""

    @functools.cached_property
    def by_scenario(self) -> Mapping[int, list[Record]]:
        """The records of each scenario, in the order of the seeds; none where it was not run."""
        found: dict[int, list[Record]] = defaultdict(list)
        for (scenario, _), record in self.cells.items():
            found[scenario].append(record)
        return found


Chosen = dict[str, tuple[Entry, Found]]
"""Label -> the entry without its cells, and all records that it is to be made of."""


def choose(board: Board, records: Iterable[Record]) -> list[Entry]:
    """Find each method's records; a method without any has an entry without cells.

    All methods of one scenario and seed share one *condition* (data hashes, backbone source): the
    one that most methods ran, then the newest. Each method shows one *variant* (its source and
    version, torch, numerics): a trusted one first, then the one that covers most cells, then the
    newest.
    """
    placed = _placed(board, records)
    by_label = _by_method(board, placed)
    condition_of = {record.key: _condition(record) for _, record in placed}
    conditions = _conditions(by_label, condition_of)
    return [
        _entry(entry, [one for one in found if condition_of[one[1].key] == conditions[one[0]]])
        for entry, found in by_label.values()
    ]


def one_of_each_place(entries: Iterable[Entry]) -> dict[Place, Record]:
    """Give a record of each place: all that are chosen there are of the same data and backbone."""
    return {place: record for entry in entries for place, record in entry.cells.items()}


def _placed(board: Board, records: Iterable[Record]) -> Found:
    """Give the counting attempt of each key that belongs to the board, and its place.

    A board of one secret admits what was drawn with that, any other what public seeds give.
    """
    scenarios = {_text(scenario): index for index, scenario in enumerate(board.scenarios)}
    seeds = {seed: index for index, seed in enumerate(board.seeds)}
    attempts: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if secret_of(record.spec.data) == board.noise_secret:
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


def _text(scenario: Scenario) -> bytes:
    return msgspec.json.encode(scenario, order="sorted")


def _by_method(board: Board, placed: Found) -> Chosen:
    """Group into rows by label, in the board's order, controls last.

    A row is one name, one setting of the options and one distribution. Where several
    distributions fit a bare name, the official one (see ``_official``) keeps the bare label; the
    others stand in rows of their own, called ``distribution:name``. Of a control, records at
    seeds at which controls do not run are left out.
    """
    ranked = dict.fromkeys((*board.weighters, board.reference))
    selectors = dict.fromkeys((*ranked, *board.controls))
    # The reference chooses first and controls last; of the rest, who is named with a distribution
    # chooses before the bare names.
    turns = sorted(selectors, key=lambda s: (s != board.reference, s not in ranked, not s.owner))
    named: dict[str, Found] = defaultdict(list)
    for one in placed:
        named[one[1].spec.weighter.name].append(one)
    taken: set[str] = set()
    rows = {selector: _rows(selector, named.get(selector.name, []), taken) for selector in turns}
    methods: Chosen = {}
    for selector in selectors:
        control = selector not in ranked
        seeds = board.seeds_of(selector) if control else board.seeds
        shows = next((kind for kind, one in board.yardsticks.items() if one == selector), "")
        for number, (label, (options, found)) in enumerate(rows[selector].items()):
            kept = [(place, record) for place, record in found if board.seeds[place[1]] in seeds]
            entry = Entry(
                label=label,
                name=selector.name,
                options=options,
                control=control,
                reference=selector == board.reference and number == 0,
                yardstick=shows if number == 0 else "",
                seeds=seeds,
            )
            methods.setdefault(label, (entry, kept))
    return methods


def _rows(
    selector: Selector, named: Found, taken: set[str]
) -> dict[str, tuple[Mapping[str, Any], Found]]:
    """Give the rows that a selector means: label -> options and records, of those of its name.

    What they show is taken for other selectors.
    """
    owners: dict[str, Found] = defaultdict(list)
    for place, record in named:
        if means(selector, record):
            owners[record.spec.weighter.distribution].append((place, record))
    if not owners:
        return {selector.label: (dict(selector.options), [])}
    official = _official(owners)
    newest = max((record for _, record in owners[official]), key=lambda record: record.attempt)
    options = newest.spec.weighter.options
    label = format_label(selector.name, options)
    rows: dict[str, tuple[Mapping[str, Any], Found]] = {}
    for owner in sorted(owners, key=lambda owner: (owner != official, owner)):
        found = [one for one in owners[owner] if one[1].key not in taken]
        taken.update(record.key for _, record in found)
        if found:
            prefix = selector.owner if owner == official else owner
            rows[f"{prefix}:{label}" if prefix else label] = options, found
    return rows


def means(selector: Selector, record: Record) -> bool:
    """Tell whether a record is of what is selected; what stands at its default may be left out."""
    weighter, defaults = record.spec.weighter, record.defaults
    return (
        selector.name == weighter.name
        and selector.owner in ("", weighter.distribution)
        and {**defaults, **dict(selector.options)} == {**defaults, **weighter.options}
    )


def _official(owners: Mapping[str, Found]) -> str:
    """Choose whose row keeps the bare name: who is installed before files and modules.

    Among several that are, the one with records in most places, then the one that came first.
    """

    def merit(owner: str) -> tuple[bool, int, str, str]:
        found = owners[owner]
        first = min(record.attempt for _, record in found)
        return owner in GIVEN, -len({place for place, _ in found}), first, owner

    return min(owners, key=merit)


_ELSEWHERE = ("weighter", "scenario", "seed", "data", "backbone_source")
_CODE = operator.attrgetter(
    *(name for name in Spec.__struct_fields__ if name not in _ELSEWHERE),
    *(f"weighter.{it.name}" for it in dataclasses.fields(WeighterSpec) if it.name != "options"),
)
"""Gives what of a spec tells code versions apart."""


def _condition(record: Record) -> Condition:
    spec = record.spec
    return msgspec.json.encode(spec.data, order="sorted"), spec.backbone_source


def _variant(record: Record) -> Variant:
    """Tell code versions apart; options and scenario are the same in a row and a place."""
    return record.trusted, _CODE(record.spec)


def _conditions(by_label: Chosen, condition_of: Mapping[str, Condition]) -> dict[Place, Condition]:
    """Choose the condition of each place: most methods, then the newest."""
    methods: dict[tuple[Place, Condition], set[str]] = defaultdict(set)
    newest: dict[tuple[Place, Condition], str] = defaultdict(str)
    for label, (_, found) in by_label.items():
        for place, record in found:
            candidate = place, condition_of[record.key]
            methods[candidate].add(label)
            newest[candidate] = max(newest[candidate], record.attempt)
    best: dict[Place, tuple[int, str, Condition]] = {}
    for (place, condition), labels in methods.items():
        merit = len(labels), newest[place, condition], condition
        best[place] = max(best.get(place, merit), merit)
    return {place: merit[2] for place, merit in best.items()}


def _entry(entry: Entry, found: Found) -> Entry:
    """Give an entry its cells, of records that are all comparable with the others'."""
    variants: dict[Variant, dict[Place, list[Record]]] = defaultdict(dict)
    for place, record in found:
        variants[_variant(record)].setdefault(place, []).append(record)
    if not variants:
        return entry

    def merit(variant: Variant) -> tuple[bool, int, str, Variant]:
        places = variants[variant]
        newest = max(record.attempt for records in places.values() for record in records)
        return variant[0], len(places), newest, variant

    chosen = max(variants, key=merit)
    # Two keys in one place differ in nothing that tells variants apart: the rule of one cell.
    counting = {place: counting_attempt(rs) for place, rs in sorted(variants[chosen].items())}
    cells = {place: record for place, record in counting.items() if record is not None}
    return dataclasses.replace(entry, trusted=chosen[0], cells=cells)
