"""Draws score against labels bought as SVG: one line a method, its name at the line's end."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchbase.leaderboard.cells import label_text, metric_name
from benchbase.leaderboard.label_curves import (
    label_tables,
    rows_with_curves,
    shown_levels,
    shown_score,
)
from benchbase.leaderboard.pages.drawing import picture, text
from benchbase.leaderboard.table import Table

LEFT, TOP, RIGHT, BOTTOM = 50, 20, 480, 300
"""The frame of the plot; names stand to its right, numbers of labels below it."""
WIDTH, HEIGHT = 800, 350
LINE_HEIGHT = 14
GRID = 0.05
"""Distance of the grid's lines: five points."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
DASHES = ("", "6 3", "2 2")


def chart_name(scenario: int) -> str:
    """Name the file of a scenario's chart."""
    return f"labels-bought-{scenario + 1}.svg"


def label_charts(table: Table) -> dict[str, str]:
    """Draw every scenario in which some method could buy labels: file name -> SVG."""
    return {chart_name(each.scenario): _chart(table, each.scenario) for each in label_tables(table)}


def _chart(table: Table, scenario: int) -> str:
    found = [(row, curve) for row, curve in rows_with_curves(table, scenario) if curve.scores]
    levels = shown_levels(curve for _, curve in found) or [0]
    scores = [score for _, curve in found for score in curve.scores] or [0.0]
    low, high = math.floor(min(scores) / GRID), math.floor(max(scores) / GRID) + 1

    def x(labels: int) -> float:
        return LEFT + (RIGHT - LEFT) * (labels - levels[0]) / ((levels[-1] - levels[0]) or 1)

    def y(score: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (score / GRID - low) / (high - low)

    parts = []
    for step in range(low, high + 1):
        at = y(step * GRID)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 6, at + 4, f"{100 * step * GRID:.0f}", anchor="end"))
    for labels in levels:
        parts.append(f'<path d="M{x(labels):.1f} {BOTTOM}v5" stroke="#333"/>')
        parts.append(text(x(labels), BOTTOM + 18, str(labels), anchor="middle"))
    score_name = f"{metric_name(shown_score(table.board))} (%)"
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 36, "labels bought", anchor="middle"))
    parts.append(text(LEFT, TOP - 7, score_name))
    names = _apart([y(curve.scores[-1]) for _, curve in found])
    for number, (row, curve) in enumerate(found):
        points = list(zip(curve.labels_bought, curve.scores, strict=True))
        colour = COLOURS[number % len(COLOURS)]
        dash = DASHES[number // len(COLOURS) % len(DASHES)]
        line = " ".join(f"{x(labels):.1f},{y(score):.1f}" for labels, score in points)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dash or "none"}"/>'
        )
        parts += [
            f'<circle cx="{x(labels):.1f}" cy="{y(score):.1f}" r="3" fill="{colour}"/>'
            for labels, score in points
        ]
        parts.append(text(RIGHT + 10, names[number] + 4, label_text(row), colour))
    return picture(parts, WIDTH, HEIGHT)


def _apart(heights: Sequence[float]) -> list[float]:
    """Move names up and down until none covers another."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed: dict[int, float] = {}
    lowest = -math.inf
    for index in order:
        placed[index] = lowest = max(heights[index], lowest + LINE_HEIGHT)
    highest: float = HEIGHT - LINE_HEIGHT
    for index in reversed(order):
        placed[index] = min(placed[index], highest)
        highest = placed[index] - LINE_HEIGHT
    return [placed[index] for index in range(len(heights))]
