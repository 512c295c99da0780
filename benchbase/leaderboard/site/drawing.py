"""What the figures of a board have in common: where values come from, colours, panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchbase.cell import JSON
from benchbase.errors import UsageError
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.cells import label_text, metric_name
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.pairs import Pair
from benchbase.leaderboard.table import Row, Table
from benchbase.records.record import Record

Values = list[JSON]


@dataclass(frozen=True)
class Shown:
    """What figures are drawn from."""

    table: Table
    records: Sequence[Record]
    """Those of the table, and whatever else lies in the home."""
    pairs: Sequence[Pair]

    @property
    def score_title(self) -> str:
        """The title of an axis of scores."""
        return f"{metric_name(self.table.board.metric)} (%)"

    @property
    def gain_title(self) -> str:
        """The title of an axis of differences."""
        return f"points against {self.table.reference_label}"

    @property
    def labels(self) -> list[str]:
        """Rows in the order of the table."""
        return [label_text(row) for row in self.table.rows]

    def scores(self) -> Iterable[tuple[Row, int, Estimate]]:
        """Give each row's score in each scenario that it ran."""
        for row in self.table.rows:
            for index, scenario in enumerate(row.scenarios):
                if scenario.score is not None:
                    yield row, index, scenario.score

    def cells(self) -> Iterable[tuple[str, Record]]:
        """Give the records that the table is made of, each with its row's label."""
        for entry in choose(self.table.board, self.records):
            for record in entry.cells.values():
                yield entry.label, record

    def condition(self, scenario: int) -> tuple[str, str]:
        """Give a scenario's label up to the imbalance, and the imbalance."""
        before, _, imbalance = self.table.scenario_labels[scenario].rpartition(", ")
        return before, imbalance


def altair() -> Any:
    """Import what writes Vega-Lite.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import altair as alt
    except ImportError:
        raise UsageError("figures need altair: pip install 'benchbase-harness[site]'") from None
    return alt


def percent(value: float) -> float:
    """Round a share to hundredths of a percent."""
    return round(100 * value, 2)


def ends(value: Estimate | None) -> JSON:
    """Give the interval in percent; nothing where there is none."""
    if value is None or value.low is None or value.high is None:
        return {}
    return {"low": percent(value.low), "high": percent(value.high)}


def fitted(chart: Any) -> Any:
    """Let a chart be as wide as its place."""
    return chart.properties(autosize=altair().AutoSizeParams(type="fit-x", contains="padding"))


def wide_axis() -> Any:
    """Give an axis as wide as the page few enough ticks that none of their labels is left out."""
    alt = altair()
    return alt.Axis(tickCount=alt.ExprRef("ceil(width / 80)"))


def methods(**fields: Any) -> Any:
    """Give the axis that names methods from above."""
    alt = altair()
    return alt.Y("method:N", title=None, axis=alt.Axis(labelLimit=220), **{"sort": None, **fields})


def panels(layers: Any, field: str, cell: int, margin: int, *, sort: Any = None) -> Any:
    """Repeat a chart for each value of a field, as often beside each other as the page is wide.

    A panel takes ``cell`` pixels, what stands left of the first one ``margin``.
    """
    alt = altair()
    header = alt.Header(labelLimit=cell)
    facet = alt.Facet(f"{field}:N", sort=sort, title=None, header=header)
    wide = {"cell": cell + _BETWEEN, "margin": margin}
    return layers.facet(facet=facet, columns=2, spacing=_BETWEEN).properties(usermeta=wide)


_BETWEEN = 24
"""Pixels from one panel to the next."""


def gain_colours(values: Values, field: str) -> JSON:
    """Give the colours of differences: blue is better, and as deep as orange is for worse."""
    reach = max((abs(value[field]) for value in values if value[field] is not None), default=0.0)
    return {"scheme": "blueorange", "domain": [-reach, reach], "reverse": True}


def ink(values: Values, field: str, *, diverging: bool = False) -> Any:
    """Give the text of each cell black or white ink, by how dark its colour is."""
    known = [value[field] for value in values if value[field] is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    for value in values:
        given = value[field] or 0.0
        if diverging:
            value["dark"] = abs(given) > 0.6 * max(abs(low), abs(high))
        else:
            value["dark"] = given < low + 0.6 * (high - low)
    alt = altair()
    return alt.condition("datum.dark", alt.value("#fff"), alt.value("#111"))


def curves(
    shown: Shown, values: Values, x: tuple[str, str], y: tuple[str, str], *, band: bool = False
) -> Any:
    """Draw a line for each method in panels; the legend picks methods out.

    ``x`` and ``y`` are a field and the title of its axis; a band goes from ``low`` to ``high``.
    """
    alt = altair()
    chosen = alt.selection_point(fields=["method"], bind="legend", name="chosen")
    wide = alt.Scale(zero=False)
    legend = alt.Legend(columns=2, orient="bottom", labelLimit=140, symbolLimit=60, symbolOpacity=1)
    domain = [each for each in shown.labels if any(value["method"] == each for value in values)]
    base = alt.Chart().encode(
        x=alt.X(f"{x[0]}:Q", title=x[1], scale=wide, axis=alt.Axis(tickCount=5)),
        y=alt.Y(f"{y[0]}:Q", title=y[1], scale=wide),
        color=alt.Color(
            "method:N",
            title=None,
            scale=alt.Scale(scheme="tableau20", domain=domain),
            legend=legend,
        ),
        opacity=alt.condition(chosen, alt.value(1), alt.value(0.12)),
        tooltip=["method:N", f"{x[0]}:Q", f"{y[0]}:Q"],
    )
    layers = [base.mark_line(point=band)]
    if band:
        area = base.mark_area().encode(
            y=alt.Y("low:Q", title=y[1], scale=wide),
            y2="high:Q",
            opacity=alt.condition(chosen, alt.value(0.1), alt.value(0)),
        )
        layers = [area, *layers]
    drawn = alt.layer(*layers, data=alt.Data(values=values)).properties(width=260, height=230)
    return panels(drawn.add_params(chosen), "panel", 260, 70)
