"""The tables that a reader looks at first: the ranking, scenario by scenario, the headroom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchbase.leaderboard.cells import (
    NOTHING,
    cost_text,
    difference_text,
    label_text,
    marked_label,
    metric_name,
    needs_text,
    rank_text,
    score_text,
    share_text,
)
from benchbase.leaderboard.pages.escaping import markdown_table
from benchbase.leaderboard.table import Row, Table

CHECKED, RATE, LABELS_ONLY, YARDSTICKS = (
    "given images or labels that were checked",
    "told the noise rate",
    "given the labels alone",
    "yardsticks, never ranked",
)
"""Blocks of rows: who was given the same is compared most fairly."""
_SHOWS = {
    "weights": "what perfect weights would bring",
    "labels": "what right labels would bring",
}


def block_of(row: Row) -> str:
    """Tell with which other rows a row is shown: those that were given as much."""
    if row.is_control:
        return YARDSTICKS
    if {"trusted", "oracle", "truth"} & row.needs.keys():
        return CHECKED
    return RATE if "noise rate" in row.needs else LABELS_ONLY


def ranking(table: Table) -> str:
    """Write rank, score, difference, share of the headroom, cost and needs, block by block."""
    header = ["rank", "method", f"{metric_name(table.board.metric)} (%)"]
    header += [f"difference to {table.reference_label}"]
    header += ["share of headroom"] * has_headroom(table)
    header += ["training time", "needs (granted)"]
    blocks: dict[str, list[Row]] = {LABELS_ONLY: [], RATE: [], CHECKED: [], YARDSTICKS: []}
    for row in table.rows:
        blocks[block_of(row)].append(row)
    lines = []
    for name, rows in blocks.items():
        if rows and sum(map(bool, blocks.values())) > 1:
            lines.append(["", f"*{name}*", *[""] * (len(header) - 2)])
        lines += [_ranking_line(table, row) for row in rows]
    return markdown_table(lines, header)


def _ranking_line(table: Table, row: Row) -> list[str]:
    share = share_text(row.headroom.overall if row.headroom else None)
    shows = next((_SHOWS.get(kind, "") for kind in table.yardsticks if _is(table, kind, row)), "")
    return [
        rank_text(row),
        marked_label(row),
        score_text(row.score, row.failed, row.covered),
        difference_text(row, table.reference),
        *[share] * has_headroom(table),
        cost_text(row),
        shows or (needs_text(row) if row.covered else NOTHING),
    ]


def _is(table: Table, kind: str, row: Row) -> bool:
    return table.yardsticks[kind] == row.label


def has_headroom(table: Table) -> bool:
    """Tell whether any row is measured against a ceiling."""
    return any(row.headroom is not None for row in table.rows)


def scenario_table(table: Table) -> str:
    """Write each method's score in each scenario, the best of the ranked ones in bold."""
    cells = scenario_cells(table, "**{}**")
    rows = [[label_text(row), *scores] for row, scores in zip(table.rows, cells, strict=True)]
    return markdown_table(rows, ["method", *scenario_headings(table)])


def scenario_headings(table: Table) -> list[str]:
    """Name the scenarios, marked where methods cannot be told apart by construction."""
    return [
        f"{label} ‡" if index in table.not_identifiable else label
        for index, label in enumerate(table.scenario_labels)
    ]


def scenario_cells(table: Table, bold: str) -> list[list[str]]:
    """Give each row's scores scenario by scenario; ``bold`` holds the best of a scenario."""
    best = [_best(table.rows, index) for index in range(len(table.scenario_labels))]
    rows = []
    for row in table.rows:
        cells = []
        seeds = row.planned // len(row.scenarios)
        for index, scenario in enumerate(row.scenarios):
            text = score_text(scenario.score, scenario.failures, scenario.covered)
            text = bold.format(text) if row.label == best[index] else text
            if 0 < scenario.failures < scenario.covered:
                text += f" ({scenario.failures} failed)"
            if 0 < scenario.covered < seeds:
                text += f" ({scenario.covered} of {seeds} seeds)"
            cells.append(text)
        rows.append(cells)
    return rows


def _best(rows: Sequence[Row], index: int) -> str | None:
    """Name the ranked row with the highest mean in a scenario."""
    scored = {
        row.label: one.score.mean
        for row in rows
        if row.has_rank and (one := row.scenarios[index]).score is not None
    }
    return max(scored, key=lambda label: scored[label], default=None)


def headroom_parts(table: Table) -> Iterator[str]:
    """Write the section on shares of the headroom; nothing where the board names no ceiling."""
    if not has_headroom(table):
        return
    rows = [
        [
            marked_label(row),
            row.headroom.ceiling,
            *map(share_text, (row.headroom.overall, *row.headroom.scenarios)),
        ]
        for row in table.rows
        if row.headroom is not None
    ]
    yield "## Share of the headroom"
    yield markdown_table(rows, ["method", "ceiling", "over all", *table.scenario_labels])
    yield (
        f"(Method - {table.reference_label}) / (ceiling - {table.reference_label}), paired by seed "
        "with a 95 % interval (Fieller). Over all: the ratio of the sums over the scenarios with "
        "wrong labels in which there surely is something to win. *Cannot tell*: the ceiling's own "
        "lead may be zero there."
    )
