"""What a name must not do to the format that it is written in; one escape a format."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate


def markdown_table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Write a table of Markdown; no cell or heading can end its column or its line."""
    cells = [[_markdown_cell(cell) for cell in row] for row in rows]
    names = [_markdown_cell(name) for name in header]
    return tabulate(cells, names, tablefmt="github", disable_numparse=True)


def markdown_text(text: str) -> str:
    """Write a stranger's words within a paragraph of Markdown, as they are."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))


def _markdown_cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split("\n"))


_FORMULA_OR_TIME = re.compile(r"[=+@\t-]|\d+:\d+$")


def spreadsheet_cell(text: str) -> str:
    """Mark a text that a spreadsheet would take for a formula or a time, as ``1:10``."""
    return f"'{text}" if _FORMULA_OR_TIME.match(text) else text


def terminal_text(text: str) -> str:
    """Replace what would move a terminal's cursor or change its colours."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
