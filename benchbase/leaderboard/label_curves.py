"""Score against labels bought: the curves of a row, and the tables that show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchbase.boards.board import Board
from benchbase.judging.relabelling import SCORES, mean_height
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.cells import NOTHING, in_percent, marked_label, metric_name, score_text
from benchbase.leaderboard.choose import Entry
from benchbase.leaderboard.table import LabelCurve, Row, Table

MOST_COLUMNS = 12
"""Numbers of labels that a table shows at most."""
NOTE = (
    "{metric} in percent on the test set, against how many true labels the method had bought when "
    "the model was judged, by the harness's own ledger. Each entry is the last checkpoint at that "
    "number, the finished model of its round: nothing is chosen on test labels. It is the mean "
    "over the seeds that finished († some did not); a dash where the method was not judged at "
    "that number at each of them. **Area**: the mean height of the curve over the labels that it "
    "spans (trapezoids), ± half of a 95 % t interval over seeds, best first; there is none where "
    "a cell failed, or was not judged before the first and after the last label. The yardsticks: "
    "buying in random order, below which choosing what to buy is worth nothing, and, where it was "
    "run, an order that knows which labels are wrong."
)


def shown_score(board: Board) -> str:
    """Name the score that the curves show: the board's metric where records hold it."""
    return board.metric if board.metric in SCORES else SCORES[0]


def label_curves(entry: Entry, board: Board) -> tuple[LabelCurve, ...]:
    """Average an entry's curves over seeds, for each scenario in which labels were for sale."""
    score = shown_score(board)
    curves = []
    for index in range(len(board.scenarios)):
        records = entry.by_scenario.get(index, [])
        blocks = [block for record in records if (block := record.relabelling)]
        if not blocks:
            continue
        heights = [
            dict(zip(block.labels_bought, getattr(block, score), strict=True)) for block in blocks
        ]
        levels = sorted(set.intersection(*(set(each) for each in heights)))
        ends = [*levels[:1], *levels[-1:]]
        # An area over part of the budget, or over the seeds that went well, would win unearned.
        is_whole = len(blocks) == len(records) and ends == [0, board.scenarios[index].label_budget]
        areas = [mean_height(levels, [each[n] for n in levels]) for each in heights]
        curves.append(
            LabelCurve(
                scenario=index,
                labels_bought=tuple(levels),
                scores=tuple(sum(each[n] for each in heights) / len(blocks) for n in levels),
                area=estimate([area for area in areas if area is not None]) if is_whole else None,
                seeds=len(blocks),
            )
        )
    return tuple(curves)


def rows_with_curves(table: Table, scenario: int) -> list[tuple[Row, LabelCurve]]:
    """Give the rows that bought labels in a scenario, the most seeds and the best area first."""
    found = [
        (row, curve)
        for row in table.rows
        for curve in row.label_curves
        if curve.scenario == scenario
    ]
    return sorted(
        found,
        key=lambda pair: (-pair[1].seeds, -pair[1].area.mean) if pair[1].area else (1, 0.0),
    )


@dataclass(frozen=True)
class LabelTable:
    """One scenario's scores against labels bought, as text."""

    scenario: int
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def label_tables(table: Table) -> tuple[LabelTable, ...]:
    """Write a table for each scenario in which some method could buy labels."""
    tables = []
    for index, title in enumerate(table.scenario_labels):
        found = rows_with_curves(table, index)
        if not found:
            continue
        columns = shown_levels(curve for _, curve in found)
        rows = []
        for row, curve in found:
            heights = dict(zip(curve.labels_bought, curve.scores, strict=True))
            cells = (in_percent(heights[n]) if n in heights else NOTHING for n in columns)
            rows.append((marked_label(row), *cells, score_text(curve.area), str(curve.seeds)))
        header = ("method", *map(str, columns), "area", "seeds")
        tables.append(LabelTable(index, title, header, tuple(rows)))
    return tuple(tables)


def label_note(table: Table) -> str:
    """Say what the tables hold, in plain words."""
    return NOTE.format(metric=metric_name(shown_score(table.board)).capitalize())


def shown_levels(curves: Iterable[LabelCurve]) -> list[int]:
    """Give the numbers of labels to show: the first and the last, then what most curves have."""
    curves_at = Counter(labels for curve in curves for labels in curve.labels_bought)
    levels = sorted(curves_at)
    shown = {*levels[:1], *levels[-1:]}
    for count in sorted(set(curves_at.values()), reverse=True):
        alike = [n for n in levels if curves_at[n] == count and n not in shown]
        shown.update(_spread(alike, MOST_COLUMNS - len(shown)))
    return sorted(shown)


def _spread(levels: Sequence[int], most: int) -> list[int]:
    """Give at most ``most`` of the numbers, evenly spread."""
    count = min(most, len(levels))
    return [levels[(2 * at + 1) * len(levels) // (2 * count)] for at in range(count)]
