"""The figures of a board as Vega-Lite: what they show was computed by whoever made the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchbase.cell import JSON
from benchbase.errors import UsageError
from benchbase.leaderboard.site import insights, scores
from benchbase.leaderboard.site.drawing import Shown


@dataclass(frozen=True)
class Figure:
    """One figure of a page."""

    kind: str
    title: str
    caption: str
    spec: JSON
    """Vega-Lite, with its data."""


def figures(shown: Shown) -> list[Figure]:
    """Draw every figure that the records tell something for."""
    return [one for kind in KINDS if (one := figure(kind, shown)) is not None]


def figure(kind: str, shown: Shown) -> Figure | None:
    """Draw one figure; None where the records tell nothing for it."""
    title, caption, draw = KINDS[kind]
    chart = draw(shown)
    return None if chart is None else Figure(kind, title, caption, chart.to_dict())


KINDS: Mapping[str, tuple[str, str, Callable[[Shown], Any]]] = {
    "differences": (
        "Differences to the reference",
        "Paired, in points, with 95 % intervals.",
        scores.differences,
    ),
    "heat": (
        "Scores by noise and imbalance",
        "Mean over seeds, in percent.",
        scores.heat,
    ),
    "gains": (
        "Gain over the reference by noise and imbalance",
        "In points; blue is better than the reference.",
        scores.gains,
    ),
    "degradation": (
        "Score against the rate of wrong labels",
        "Mean over seeds, with 95 % intervals; the legend picks methods out (shift: several).",
        scores.degradation,
    ),
    "headroom": (
        "Share of the headroom",
        "What a method wins of what its ceiling wins over the reference, with 95 % intervals.",
        scores.headroom,
    ),
    "pairs": (
        "Every method against every other",
        "Points by which the row is above the column; * told apart at 95 % for the whole table.",
        insights.pairwise,
    ),
    "cost": (
        "Score against training time",
        "On the front nobody is both faster and better.",
        insights.cost,
    ),
    "weights": (
        "Do the weights tell right labels from wrong ones?",
        "Rows weighed above each threshold: final weights against the known mask, mean of cells.",
        insights.weights,
    ),
    "recalls": (
        "Recall by class",
        "In percent; in brackets the most training images that the class had.",
        insights.recalls,
    ),
    "labels": (
        "Score against labels bought",
        "Mean over seeds of the finished model.",
        insights.labels,
    ),
}
"""Kind -> title, caption and what draws it."""


def picture(drawn: Figure, suffix: str) -> bytes:
    """Draw a figure as ``.svg``, ``.pdf`` or ``.png``.

    Raises:
        UsageError: it is none of these, or what draws it is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise UsageError("figures need vl-convert: pip install 'benchbase-harness[site]'") from None
    writers: Mapping[str, Callable[..., str | bytes]] = {
        ".svg": vl_convert.vegalite_to_svg,
        ".pdf": vl_convert.vegalite_to_pdf,
        ".png": vl_convert.vegalite_to_png,
    }
    if suffix not in writers:
        raise UsageError(f"{suffix or 'no suffix'!r}: a figure is written as .svg, .pdf or .png")
    wide = {"width": _WIDTH} if drawn.spec.get("width") == "container" else {}
    content = writers[suffix]({**drawn.spec, **wide})
    return content.encode() if isinstance(content, str) else content


_WIDTH = 460
"""In pixels, of a figure that is as wide as its place on a page."""
