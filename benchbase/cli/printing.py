"""Prints tables and curves: with rich on a terminal, as plain text elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text
from tabulate import tabulate

from benchbase.leaderboard.cells import (
    NOTHING,
    cost_text,
    difference_text,
    label_text,
    metric_name,
    needs_text,
    number_text,
    percent_text,
    rank_text,
    score_text,
)
from benchbase.leaderboard.curves import Curve, Curves
from benchbase.leaderboard.label_curves import label_tables
from benchbase.leaderboard.pages.escaping import terminal_text
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.table import Table
from benchbase.leaderboard.words import verdict
from benchbase.records.record import Record

WIDE = 120
"""Columns of a terminal that take the further columns of the table."""
_FRAME = 3
"""Columns that a table spends on the edge of each of its own."""
_BARS = "▁▂▃▄▅▆▇█"
_LONGEST = 12
"""Characters of a sparkline; longer curves are thinned out, the last value always shown."""


def print_table(table: Table, console: Console) -> None:
    """Print the leaderboard, its parts by scenario, then who is not ranked and why."""
    board = table.board
    header = [
        "rank",
        "method",
        f"{metric_name(board.metric)} %",
        f"against {table.reference_label}",
    ]
    header += ["failed", "train time"]
    rows = [
        [
            rank_text(row),
            label_text(row),
            score_text(row.score, row.failed, row.covered),
            difference_text(row, table.reference),
            str(row.failed) if row.covered else NOTHING,
            cost_text(row),
        ]
        for row in table.rows
    ]
    if console.width >= WIDE:
        header += ["cells", "needs", "oracle gap", "weight AUROC"]
        for cells, row in zip(rows, table.rows, strict=True):
            cells += [
                f"{row.covered}/{row.planned}",
                needs_text(row) if row.covered else NOTHING,
                percent_text(row.oracle_gap, "+.1f"),
                number_text(row.weight_auroc, ".3f"),
            ]
    print_columns("\n".join(filter(None, (board.title, table.chance))), header, rows, console)
    _print_scenarios(table, console)
    for each in label_tables(table):
        print_columns(f"Score against labels bought: {each.title}", each.header, each.rows, console)
    for line in (*verdict(table), *remarks(table)):
        console.print(
            terminal_text(line), markup=False, highlight=False, soft_wrap=not console.is_terminal
        )


def _print_scenarios(table: Table, console: Console) -> None:
    """Print scores by scenario, along whichever side keeps the table narrow."""
    if len(table.scenario_labels) < 2:
        return
    labels = [
        f"{label} ‡" if index in table.not_identifiable else label
        for index, label in enumerate(table.scenario_labels)
    ]
    methods = [label_text(row) for row in table.rows]
    cells = [
        [score_text(one.score, one.failures, one.covered) for one in row.scenarios]
        for row in table.rows
    ]
    if len(methods) > len(labels):
        rows = [[method, *texts] for method, texts in zip(methods, cells, strict=True)]
        print_columns("Scenario by scenario", ["method", *labels], rows, console)
    else:
        by_scenario = list(zip(*cells, strict=True)) or [() for _ in labels]
        rows = [[label, *texts] for label, texts in zip(labels, by_scenario, strict=True)]
        print_columns("Scenario by scenario", ["scenario", *methods], rows, console)


def print_columns(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], console: Console
) -> None:
    """Print a table: drawn on a terminal, as plain text elsewhere."""
    if not console.is_terminal:
        console.print(
            f"{title}\n\n{tabulate(rows, header, tablefmt='simple', disable_numparse=True)}\n",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return
    for columns in _column_groups(header, rows, console.width):
        drawn = RichTable(
            title=_literal(title), title_justify="left", title_style="", header_style="bold"
        )
        spare = console.width - 1 - sum(_least(header, rows, at, console.width) for at in columns)
        for at in columns:
            least = _least(header, rows, at, console.width) - _FRAME
            longest = max(cell_len(text) for text in (header[at], *(row[at] for row in rows)))
            more = max(0, min(longest - least, spare))
            spare -= more
            drawn.add_column(_literal(header[at]), overflow="fold", width=least + more)
        for row in rows:
            drawn.add_row(*(_literal(row[at]) for at in columns))
        console.print(drawn)


def _literal(text: str) -> Text:
    return Text(terminal_text(text))  # as it is: a bracket in a name is no markup


def _least(header: Sequence[str], rows: Sequence[Sequence[str]], at: int, width: int) -> int:
    """Give what a column takes so that no word of it is split, but for the very longest."""
    cells = [header[at], *(row[at] for row in rows)]
    longest = max((cell_len(word) for cell in cells for word in cell.split()), default=1)
    return min(longest, width // 3) + _FRAME


def _column_groups(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> list[list[int]]:
    """Share the columns out over as many tables as it takes to split no word.

    The column of methods (or scenarios) begins each of them.
    """
    key = header.index("method") if "method" in header else 0
    space = [_least(header, rows, at, width) for at in range(len(header))]
    groups: list[list[int]] = [list(range(key + 1))]
    for at in range(key + 1, len(header)):
        if 1 + sum(space[each] for each in groups[-1]) + space[at] > width and len(groups[-1]) > 1:
            groups.append([key])
        groups[-1].append(at)
    return groups


def sparkline(curve: Curve, low: float, high: float) -> str:
    """Draw a curve in block characters between ``low`` and ``high``; a gap where it has none."""
    step = max(1, -(-len(curve) // _LONGEST))
    kept = [curve[index] for index in range((len(curve) - 1) % step, len(curve), step)]
    span = (high - low) or 1.0
    return "".join(
        " " if value is None else _BARS[round((value - low) / span * (len(_BARS) - 1))]
        for value in kept
    )


def print_curves(found: Sequence[Curves], console: Console) -> None:
    """Print, for each scenario and method, first value, sparkline and last value of each curve."""
    columns = {
        "test_balanced_accuracy": "test",
        "validation_noisy_balanced_accuracy": "noisy validation",
        "weight_auroc": "weight AUROC",
    }
    if any("labels_bought" in one.curves for one in found):
        columns["labels_bought"] = "labels bought"
    for scenario, group in groupby(found, key=lambda one: one.scenario):
        methods = list(group)
        rows = []
        for one in methods:
            cells = [one.method]
            for name in columns:
                shared = [value for other in methods for value in other.curves.get(name, ())]
                form = ".0f" if name == "labels_bought" else ".2f"
                curve = one.curves.get(name, ())
                if name == "weight_auroc" and set(curve) <= {0.5, None}:
                    curve = ()  # equal weights, which say nothing about any label
                cells.append(_curve_text(curve, shared, form))
            rows.append(cells)
        print_columns(
            f"Balanced accuracy by epoch: {scenario}", ["method", *columns.values()], rows, console
        )


def _curve_text(curve: Curve, shared: Curve | list[float | None], form: str) -> str:
    """Draw a curve on the scale that all methods of its scenario share."""
    known = [value for value in curve if value is not None]
    if not known:
        return NOTHING
    values = [value for value in shared if value is not None]
    line = sparkline(curve, min(values), max(values))
    return f"{known[0]:{form}} {line} {known[-1]:{form}}"


def print_failures(failed: Sequence[tuple[str, Record]], console: Console) -> None:
    """Print one line for each failed cell: where it is, why, and its key."""
    for place, record in failed:
        console.print(
            f"{place}: {record.status}: {record.reason} (cell {record.key[:12]})",
            markup=False,
            highlight=False,
            soft_wrap=not console.is_terminal,
        )
