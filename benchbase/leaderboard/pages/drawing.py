"""What the charts share: a white picture, and text that is a stranger's."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def picture(parts: Sequence[str], width: int, height: int) -> str:
    """Frame the parts of a chart as one SVG file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, colour: str = "#333", anchor: str = "start") -> str:
    """Write words at a place."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"
