"""Figures of scores: against the reference, under each condition, against what there is to win."""

from __future__ import annotations

from typing import Any

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
    wide_axis,
)

STEP = 58
"""Width of a cell of a heat map."""
NAME = 120
"""Width that a method's name may take above its heat map."""


def differences(shown: Shown) -> Any:
    """Draw each row's difference to the reference with its interval."""
    values = [
        {
            "method": label_text(row),
            "points": percent(row.difference.mean),
            "verdict": row.difference.verdict,
            **ends(row.difference),
        }
        for row in shown.table.rows
        if row.difference is not None and not row.failed and ends(row.difference)
    ]
    if not values:
        return None
    alt = altair()
    colours = alt.Scale(domain=["better", "tied", "worse"], range=["#0072b2", "#888", "#d55e00"])
    base = alt.Chart(alt.Data(values=values), width="container").encode(
        y=methods(),
        color=alt.Color("verdict:N", scale=colours, title=None),
        tooltip=["method:N", "points:Q", "low:Q", "high:Q", "verdict:N"],
    )
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color="#888").encode(x="zero:Q")
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=shown.gain_title, axis=wide_axis()), x2="high:Q"
    )
    return fitted(zero + line + base.mark_point(filled=True, size=70).encode(x="points:Q"))


def heat(shown: Shown) -> Any:
    """Draw each method's scores by noise and imbalance."""
    return _heat(shown, "score", shown.score_title)


def gains(shown: Shown) -> Any:
    """Draw each method's differences to the reference by noise and imbalance."""
    return _heat(shown, "difference", shown.gain_title)


def _heat(shown: Shown, field: str, title: str) -> Any:
    diverging = field == "difference"

    def mark(mean: float, other: float | None) -> str:
        if not diverging:
            return in_percent(mean)
        return "" if other is None else in_percent(mean - other, "+.1f")

    values: Values = []
    for row, index, score in shown.scores():
        noise, imbalance = shown.condition(index)
        other = shown.table.reference.scenarios[index].score
        values.append(
            {
                "method": label_text(row),
                "noise": noise,
                "imbalance": imbalance,
                "score": percent(score.mean),
                "difference": None if other is None else percent(score.mean - other.mean),
                "mark": mark(score.mean, None if other is None else other.mean),
            }
        )
    if len(shown.table.scenario_labels) < 2 or not values:
        return None
    scale = gain_colours(values, field) if diverging else {"scheme": "viridis"}
    text_colour = ink(values, field, diverging=diverging)
    alt = altair()
    cells = alt.Chart().encode(
        x=alt.X("imbalance:N", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("noise:N", sort=None, title=None),
        tooltip=["method:N", "noise:N", "imbalance:N", "score:Q", "difference:Q"],
    )
    layers = alt.layer(
        cells.mark_rect().encode(
            color=alt.Color(
                f"{field}:Q",
                title=title,
                scale=alt.Scale(**scale),
                legend=alt.Legend(orient="bottom"),
            )
        ),
        cells.mark_text(fontSize=11).encode(
            text="mark:N",
            color=text_colour,
        ),
        data=alt.Data(values=values),
    ).properties(width=alt.Step(STEP), height=alt.Step(24))
    wide = STEP * len({value["imbalance"] for value in values})
    return panels(layers, "method", max(wide, NAME), 130, sort=shown.labels)


def degradation(shown: Shown) -> Any:
    """Draw scores against the rate of wrong labels; without noise the rate is 0 of every kind."""
    scenarios = shown.table.board.scenarios
    kinds = sorted({one.noise for one in scenarios if "rate" in one.noise_options})
    values: Values = []
    for row, index, score in shown.scores():
        scenario = scenarios[index]
        rate = 0.0 if scenario.noise == "none" else scenario.noise_options.get("rate")
        if rate is None:
            continue
        before, imbalance = shown.condition(index)
        telling = before.rpartition(", ")[0]
        values += [
            {
                "method": label_text(row),
                "panel": ", ".join(filter(None, (telling, kind, imbalance))),
                "rate": rate,
                "score": percent(score.mean),
                **ends(score),
            }
            for kind in (kinds if scenario.noise == "none" else [scenario.noise])
        ]
    if len({value["rate"] for value in values}) < 2:
        return None
    x, y = ("rate", "rate of wrong labels"), ("score", shown.score_title)
    return curves(shown, values, x, y, band=True)


def headroom(shown: Shown) -> Any:
    """Draw what each method wins of what there is to win."""
    values = [
        {
            "method": label_text(row),
            "share": percent(share.mean),
            "ceiling": row.headroom.ceiling,
            **ends(share),
        }
        for row in shown.table.rows
        if row.headroom is not None and (share := row.headroom.overall.value) is not None
    ]
    if not values:
        return None
    alt = altair()
    base = alt.Chart(alt.Data(values=values), width="container").encode(
        y=methods(), tooltip=["method:N", "share:Q", "low:Q", "high:Q", "ceiling:N"]
    )
    shares = alt.X("share:Q", title="share of headroom (%)", axis=wide_axis())
    bars = base.mark_bar(color="#56b4e9").encode(x=shares)
    return fitted(bars + base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"))
