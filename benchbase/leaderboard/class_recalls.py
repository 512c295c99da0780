"""Recall of each class beside the number of its training images: who pays for the long tail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchbase.boards.board import Board
from benchbase.cell import CORRECTED, Scenario
from benchbase.leaderboard.cells import label_text, percent_text
from benchbase.leaderboard.choose import Entry
from benchbase.leaderboard.pages.captions import imbalance_label
from benchbase.leaderboard.table import ClassRecalls, Table
from benchbase.records.record import Record

MOST_CLASSES = 20
"""Classes that a table shows at most: the most frequent ones and the rarest ones."""


def class_recalls(board: Board, entries: Sequence[Entry]) -> tuple[ClassRecalls, ...]:
    """Average recalls over the scenarios that train on the same numbers of images, and seeds.

    Where each seed draws which class is rare, those of one place in the long tail are averaged.
    """
    groups: dict[str, list[int]] = {}
    for index, scenario in enumerate(board.scenarios):
        groups.setdefault(_title(scenario, board), []).append(index)
    found = []
    for title, indices in groups.items():
        records = {
            entry.label: [
                record
                for index in indices
                for record in entry.by_scenario.get(index, ())
                if record.status == "ok"
            ]
            for entry in entries
        }
        told = (record.corruption for each in records.values() for record in each)
        drawn = [one for one in told if one is not None and one.classes and one.class_counts]
        by_place = board.scenarios[indices[0]].order_drawn
        if drawn:
            names = drawn[0].classes
            found.append(
                ClassRecalls(
                    title=title,
                    classes=_places(len(names)) if by_place else tuple(names),
                    training_images=_spans(
                        sorted(one.class_counts, reverse=True) if by_place else one.class_counts
                        for one in drawn
                    ),
                    recalls={
                        label: means
                        for label, each in records.items()
                        if (means := _means(each, board.rule, by_place=by_place))
                    },
                )
            )
    return tuple(found)


def _title(scenario: Scenario, board: Board) -> str:
    """Name what decides how many images of each class there are."""
    parts = [scenario.data, imbalance_label(scenario)]
    if CORRECTED in scenario.dataset_options:
        parts.append("labels as corrected")
    if scenario.label_fraction is not None:
        parts.append(f"{100 * scenario.label_fraction:g} % labelled")
    if len({(one.data, one.train_size) for one in board.scenarios}) > len(
        {one.data for one in board.scenarios}
    ):
        parts.append(f"{scenario.train_size or 'all'} images")
    return ", ".join(parts)


def _places(count: int) -> tuple[str, ...]:
    """Name the places of a long tail."""
    return ("most frequent", *(f"no. {place}" for place in range(2, count)), "rarest")


def _spans(counts: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Give the smallest and the largest number of images of each class."""
    return tuple((min(each), max(each)) for each in zip(*counts, strict=True))


def _means(records: Sequence[Record], rule: str, *, by_place: bool) -> tuple[float | None, ...]:
    told = [
        _by_place(recalls.value, record) if by_place else recalls.value
        for record in records
        if (recalls := record.metrics.get(rule, {}).get("recall_per_class"))
        and isinstance(recalls.value, list)
    ]
    by_class = [[value for value in each if value is not None] for each in zip(*told, strict=True)]
    return tuple(sum(each) / len(each) if each else None for each in by_class)


def _by_place(recalls: Sequence[float | None], record: Record) -> list[float | None]:
    """Give recalls from the class with most training images to that with fewest."""
    counts = record.corruption.class_counts if record.corruption is not None else []
    order = sorted(range(len(counts)), key=lambda c: (-counts[c], c))
    return [recalls[c] for c in order]


@dataclass(frozen=True)
class RecallTable:
    """One group's recalls, as text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def recall_tables(table: Table) -> list[RecallTable]:
    """Write a table for each group of scenarios, the class with most training images first."""
    tables = []
    for group in table.class_recalls:
        order = sorted(range(len(group.classes)), key=lambda c: (-group.training_images[c][1], c))
        if len(order) > MOST_CLASSES:
            order = [*order[: MOST_CLASSES // 2], *order[-MOST_CLASSES // 2 :]]
        header = [f"{group.classes[c]} ({_span_text(group.training_images[c])})" for c in order]
        rows = tuple(
            (label_text(row), *_texts(group.recalls, row.label, order))
            for row in table.rows
            if row.label in group.recalls
        )
        tables.append(RecallTable(group.title, ("method", *header), rows))
    return tables


def _texts(
    recalls: Mapping[str, Sequence[float | None]], label: str, order: Sequence[int]
) -> list[str]:
    return [percent_text(recalls[label][c]) for c in order]


def _span_text(span: tuple[int, int]) -> str:
    low, high = span
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
