"""A board as a submission would make it, for a comment: strangers' words stay within code spans."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from benchbase.leaderboard.cells import (
    NOTHING,
    difference_text,
    metric_name,
    rank_text,
    score_text,
)
from benchbase.leaderboard.pages.escaping import markdown_table
from benchbase.leaderboard.table import Row, Table
from benchbase.records.record import Record

MOST_ROWS = 100
LONGEST = 80
"""Letters of a stranger's word: a comment has a limit, and a reader too."""


def render_preview(table: Table, before: Table, new: Sequence[Record]) -> str:
    """Write the ranking as it would be, beside the scores as they were."""
    counts = Counter(record.spec.weighter.label for record in new)
    brought = ", ".join(f"{as_code(label)} ({count})" for label, count in sorted(counts.items()))
    scores = {row.label: _score(row) for row in before.rows}
    header = ["rank", "method", f"{metric_name(table.board.metric)} (%)", "was"]
    header += [f"difference to {as_code(table.reference_label)}", "borne out by"]
    lines = [
        [
            rank_text(row),
            as_code(row.label),
            _score(row),
            scores.get(row.label, NOTHING),
            difference_text(row, table.reference),
            as_code(row.evidence) if row.evidence else NOTHING,
        ]
        for row in table.rows[:MOST_ROWS]
    ]
    name = as_code(table.board.name)
    parts = [
        f"**{name} as it would be**, with {len(new)} new records: {brought or NOTHING}",
        markdown_table(lines, header),
        "Made from the records alone. *Self-reported* and *recomputed* scores were not replayed.",
    ]
    left = len(table.rows) - len(lines)
    parts += [f"{left} more rows are not shown."] * bool(left)
    return "\n\n".join(parts) + "\n"


def as_code(text: str) -> str:
    """Write a stranger's words so that nothing in them links, mentions or formats."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text.replace("`", "'"))
    plain = re.sub(r"\s+", " ", plain).strip()
    return f"`{plain[:LONGEST]}{'…' * (len(plain) > LONGEST)}`" if plain else NOTHING


def _score(row: Row) -> str:
    return score_text(row.score, row.failed, row.covered)
