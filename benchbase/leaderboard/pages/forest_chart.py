"""Draws the differences to the reference with their intervals as SVG: a forest plot."""

from __future__ import annotations

import math

from benchbase.leaderboard.cells import label_text, metric_name
from benchbase.leaderboard.pages.drawing import picture, text
from benchbase.leaderboard.table import Row, Table

NAME = "differences.svg"
LEFT, RIGHT, WIDTH = 240, 640, 800
"""The frame of the plot; names stand to its left, numbers to its right."""
TOP, LINE_HEIGHT = 30, 22
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Distances of grid lines, in points; the smallest that needs no more than ``MOST`` lines."""
MOST = 9
COLOURS = {"better": "#0072b2", "tied": "#777777", "worse": "#d55e00"}


def forest_chart(table: Table) -> dict[str, str]:
    """Draw every row that has an interval: file name -> SVG; nothing where none has."""
    rows = [(row, *ends) for row in table.rows if (ends := _ends(row)) is not None]
    if not rows:
        return {}
    lowest = min(0.0, *(low for _, low, _ in rows))
    highest = max(0.0, *(high for _, _, high in rows))
    step = next(each for each in STEPS if (highest - lowest) / each <= MOST - 1 or each == 100)
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    bottom = TOP + LINE_HEIGHT * len(rows)

    def x(points: float) -> float:
        return LEFT + (RIGHT - LEFT) * (points / step - first) / ((last - first) or 1)

    parts = []
    for number in range(first, last + 1):
        colour = "#333" if number == 0 else "#ddd"
        parts.append(f'<path d="M{x(number * step):.1f} {TOP - 8}V{bottom}" stroke="{colour}"/>')
        parts.append(
            text(
                x(number * step),
                bottom + 16,
                f"{number * step:+g}" if number else "0",
                anchor="middle",
            )
        )
    for place, (row, low, high) in enumerate(rows):
        assert row.difference is not None
        y = TOP + LINE_HEIGHT * (place + 0.5)
        colour = COLOURS[row.difference.verdict]
        mean = 100 * row.difference.mean
        parts.append(text(LEFT - 10, y + 4, label_text(row), anchor="end"))
        parts.append(
            f'<path d="M{x(low):.1f} {y:.1f}H{x(high):.1f}" stroke="{colour}" stroke-width="2"/>'
        )
        filled = "#fff" if row.is_control else colour
        parts.append(
            f'<circle cx="{x(mean):.1f}" cy="{y:.1f}" r="4.5" fill="{filled}" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        parts.append(text(RIGHT + 12, y + 4, f"{mean:+.1f} ({low:+.1f} to {high:+.1f})", colour))
    title = f"{metric_name(table.board.metric)}, points against {table.reference_label}"
    parts.append(text(LEFT, 14, title))
    return {NAME: picture(parts, WIDTH, bottom + 28)}


def has_forest(table: Table) -> bool:
    """Tell whether ``forest_chart`` draws anything."""
    return any(_ends(row) is not None for row in table.rows)


def _ends(row: Row) -> tuple[float, float] | None:
    """Give the ends of a row's interval in points; none where failures take it."""
    difference = row.difference
    if difference is None or difference.low is None or difference.high is None or row.failed:
        return None
    return 100 * difference.low, 100 * difference.high
