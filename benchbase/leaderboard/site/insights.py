"""Figures beside the scores: pairs, cost, weights, classes, labels bought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchbase.judging.weights import FALSE_POSITIVE_RATES
from benchbase.leaderboard.cells import in_percent, label_text
from benchbase.leaderboard.site.drawing import (
    Shown,
    Values,
    altair,
    curves,
    ends,
    fitted,
    gain_colours,
    ink,
    methods,
    panels,
    percent,
)


def pairwise(shown: Shown) -> Any:
    """Draw every ranked method against every other one."""
    values = [
        {
            "method": pair.method,
            "other": pair.other,
            "points": percent(pair.difference.mean),
            "mark": in_percent(pair.difference.mean, "+.1f") + "*" * pair.told_apart,
            "told apart": "yes" if pair.told_apart else "no",
            **ends(pair.difference),
        }
        for pair in shown.pairs
    ]
    if not values:
        return None
    text_colour = ink(values, "points", diverging=True)
    alt = altair()
    order = [row.label for row in shown.table.rows]
    above = alt.Axis(orient="top", labelAngle=-60, labelLimit=160)
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("other:N", sort=order, title="against", axis=above),
        y=methods(sort=order),
        tooltip=["method:N", "other:N", "points:Q", "low:Q", "high:Q", "told apart:N"],
    )
    return (
        base.mark_rect().encode(
            color=alt.Color("points:Q", scale=alt.Scale(**gain_colours(values, "points")))
        )
        + base.mark_text(fontSize=10).encode(text="mark:N", color=text_colour)
    ).properties(width=alt.Step(44), height=alt.Step(24))


def cost(shown: Shown) -> Any:
    """Draw scores against training time, with the front on which nobody is beaten in both.

    Controls beat nobody: they know what no method knows.
    """
    told = [
        (row, row.score.mean, row.cost.relative_seconds)
        for row in shown.table.rows
        if row.score is not None and row.cost.relative_seconds
    ]
    rivals = [(score, time) for row, score, time in told if not row.is_control]
    values: Values = [
        {
            "method": label_text(row),
            "time": round(time, 3),
            "score": percent(score),
            "front": "control" if row.is_control else _front(score, time, rivals),
        }
        for row, score, time in told
    ]
    if len(values) < 2:
        return None
    _put_names_apart(values)
    alt = altair()
    times_told = [value["time"] for value in values]
    # To the right there is room for names.
    times = alt.Scale(type="log", nice=False, domain=[min(times_told) / 1.1, max(times_told) * 1.6])
    colours = alt.Scale(
        domain=["on the Pareto front", "beaten in both", "control"],
        range=["#d55e00", "#888888", "#2b8cc4"],
    )
    base = alt.Chart(alt.Data(values=values), width="container", height=340).encode(
        x=alt.X("time:Q", title=f"training time, times {shown.table.reference_label}", scale=times),
        y=alt.Y("score:Q", title=shown.score_title, scale=alt.Scale(zero=False)),
        tooltip=["method:N", "time:Q", "score:Q", "front:N"],
    )
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        color=alt.Color("front:N", title=None, scale=colours, legend=alt.Legend(orient="bottom"))
    )
    # A name below its point hangs on a line, and may lie over other points: it has the text's ink.
    lines = base.mark_rule(color="#888").encode(y2="name at:Q")
    names = base.mark_text(align="left", dx=7, fontSize=11, limit=180).encode(
        text="method:N", y="name at:Q"
    )
    return fitted(lines + points + names)


def _front(score: float, time: float, rivals: Sequence[tuple[float, float]]) -> str:
    beaten = any(s >= score and t <= time and (s, t) != (score, time) for s, t in rivals)
    return "beaten in both" if beaten else "on the Pareto front"


def _put_names_apart(values: Values) -> None:
    """Give each name a height: that of its point, or a line below the names beside it."""
    scores = [value["score"] for value in values]
    times = [math.log(value["time"]) for value in values]
    line = (max(scores) - min(scores)) / LINES
    beside = NAME_WIDTH * (max(times) - min(times))
    placed: list[tuple[float, float]] = []
    for value in sorted(values, key=lambda one: -one["score"]):
        at, time = value["score"], math.log(value["time"])
        for other, height in placed:
            if abs(other - time) <= beside and abs(height - at) < line:
                at = height - line
        placed.append((time, at))
        value["name at"] = round(at, 3)


LINES = 22
"""Of names that fit below each other beside a chart."""
NAME_WIDTH = 0.35
"""Share of a chart's width that a name may take."""


def weights(shown: Shown) -> Any:
    """Draw how well final weights tell right labels from wrong ones, over all and by class."""
    found: dict[tuple[str, str], list[Sequence[float]]] = {}
    for label, record in shown.cells():
        if record.weights is None or record.corruption is None:
            continue
        by_class = zip(record.corruption.classes, record.weights.roc_per_class, strict=False)
        for panel, curve in (("all classes", record.weights.roc), *by_class):
            if curve is not None:
                found.setdefault((panel, label), []).append(curve)
    words = {row.label: label_text(row) for row in shown.table.rows}
    values = [
        {
            "panel": panel,
            "method": words[label],
            "wrong": round(rate, 4),
            "right": round(sum(heights) / len(heights), 4),
        }
        for (panel, label), told in found.items()
        if label in words
        for rate, heights in zip(FALSE_POSITIVE_RATES, zip(*told, strict=True), strict=True)
    ]
    if not values:
        return None
    x, y = ("wrong", "share of wrong labels"), ("right", "share of right labels")
    return curves(shown, values, x, y)


def recalls(shown: Shown) -> Any:
    """Draw the recall of each class."""
    words = {row.label: label_text(row) for row in shown.table.rows}
    values = [
        {
            "method": words[label],
            "panel": group.title,
            "class": f"{name} ({images[1]:,})",
            "recall": percent(recall),
            "mark": in_percent(recall, ".0f"),
        }
        for group in shown.table.class_recalls
        for label, told in group.recalls.items()
        for name, images, recall in zip(group.classes, group.training_images, told, strict=True)
        if recall is not None and label in words
    ]
    if not values:
        return None
    text_colour = ink(values, "recall")
    alt = altair()
    # Not a step for each class: Vega-Lite draws none where panels have classes of their own.
    inner = 46 * max(len(group.classes) for group in shown.table.class_recalls)
    cells = alt.Chart().encode(
        x=alt.X("class:N", sort=None, title=None, axis=alt.Axis(labelAngle=-40)),
        y=methods(sort=shown.labels),
        tooltip=["method:N", "panel:N", "class:N", "recall:Q"],
    )
    layers = alt.layer(
        cells.mark_rect().encode(
            color=alt.Color(
                "recall:Q",
                title="recall (%)",
                scale=alt.Scale(scheme="viridis"),
                legend=alt.Legend(orient="bottom"),
            )
        ),
        cells.mark_text(fontSize=10).encode(text="mark:N", color=text_colour),
        data=alt.Data(values=values),
    ).properties(width=inner, height=alt.Step(20))
    return panels(layers, "panel", inner + 60, 150).resolve_scale(x="independent")


def labels(shown: Shown) -> Any:
    """Draw scores against labels bought."""
    values = [
        {
            "panel": shown.table.scenario_labels[curve.scenario],
            "method": label_text(row),
            "labels": bought,
            "score": percent(score),
        }
        for row in shown.table.rows
        for curve in row.label_curves
        for bought, score in zip(curve.labels_bought, curve.scores, strict=True)
    ]
    if not values:
        return None
    return curves(shown, values, ("labels", "labels bought"), ("score", "score (%)"))
