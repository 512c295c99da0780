"""A board as one table for a paper, in LaTeX or Markdown: ranks, scores, differences."""

from __future__ import annotations

import re

from tabulate import tabulate

from benchbase.leaderboard.cells import (
    difference_text,
    marked_label,
    metric_name,
    rank_text,
    rule_name,
    score_text,
)
from benchbase.leaderboard.pages.escaping import markdown_table
from benchbase.leaderboard.pages.first_tables import scenario_cells, scenario_headings
from benchbase.leaderboard.table import Table

_LATEX = {
    "\ue000": "\\textbf{",
    "\ue001": "}",
    "±": "$\\pm$",
    "×": "$\\times$",
    "–": "--",
    "†": "$\\dagger$",
    "‡": "$\\ddagger$",
}
"""What pdflatex writes for our signs, and for two marks around bold that no name holds."""


def paper_markdown(table: Table) -> str:
    """Write a line a method in Markdown, the best of each scenario in bold."""
    header, rows = _table(table, "**{}**")
    return markdown_table(rows, header) + "\n"


def paper_latex(table: Table) -> str:
    """Write a line a method for LaTeX with the package booktabs, the best in bold.

    Comments above say what was measured.
    """
    header, rows = _table(table, "\ue000{}\ue001")
    text = tabulate(rows, header, "latex_booktabs", disable_numparse=True)  # escapes every cell
    text = re.sub(r"(?<!\w)-(?=\d)", "$-$", text)  # a minus, no hyphen
    for sign, command in _LATEX.items():
        text = text.replace(sign, command)
    board = table.board
    said = [
        f"{board.title}: {metric_name(board.metric)} in percent ({rule_name(board.rule)})",
        table.setting,
        "needs \\usepackage{booktabs}",
    ]
    return "".join(f"% {' '.join(line.split())}\n" for line in said) + text + "\n"


def _table(table: Table, bold: str) -> tuple[list[str], list[list[str]]]:
    header = ["rank", "method", *scenario_headings(table), "over all"]
    header.append(f"difference to {table.reference_label}")
    rows = [
        [
            rank_text(row),
            marked_label(row),
            *scores,
            score_text(row.score, row.failed, row.covered),
            difference_text(row, table.reference),
        ]
        for row, scores in zip(table.rows, scenario_cells(table, bold), strict=True)
    ]
    return header, rows
