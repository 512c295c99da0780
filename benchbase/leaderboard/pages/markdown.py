"""A table as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from benchbase.leaderboard.cells import rule_name
from benchbase.leaderboard.class_recalls import recall_tables
from benchbase.leaderboard.label_curves import label_note, label_tables
from benchbase.leaderboard.pages.escaping import markdown_table, markdown_text
from benchbase.leaderboard.pages.first_tables import headroom_parts, ranking, scenario_table
from benchbase.leaderboard.pages.forest_chart import NAME, has_forest
from benchbase.leaderboard.pages.further_tables import folded_parts
from benchbase.leaderboard.pages.label_chart import chart_name
from benchbase.leaderboard.pages.notes import meanings, notes
from benchbase.leaderboard.table import Table
from benchbase.leaderboard.words import verdict


def _recall_parts(table: Table) -> list[str]:
    """Write the section on single classes; nothing where no record tells of any."""
    tables = recall_tables(table)
    if not tables:
        return []
    parts = ["## Recall by class"]
    for each in tables:
        rows = [[*row] for row in each.rows]
        parts += [f"### {each.title}", markdown_table(rows, [*each.header])]
    note = (
        f"Recall in percent on the test set ({rule_name(table.board.rule)}), mean of the cells "
        "that finished; in brackets how many training images of the class there were, after "
        "imbalance, by true labels. *Recall of the rarest class* is that of the class with fewest."
    )
    return [*parts, note]


def _label_parts(table: Table) -> list[str]:
    """Write the section on labels bought; nothing where none were for sale."""
    tables = label_tables(table)
    if not tables:
        return []
    parts = ["## Score against labels bought"]
    for each in tables:
        parts += [
            f"### {each.title}",
            markdown_table([[*row] for row in each.rows], [*each.header]),
        ]
        parts.append(f"![Score against labels bought: {each.title}]({chart_name(each.scenario)})")
    return [*parts, label_note(table)]


def _card_parts(table: Table) -> Iterator[str]:
    """Write where the data come from and on which terms, where a card says it."""
    for name, card in table.cards.items():
        yield f"## The data: {markdown_text(name)}"
        yield "\n".join(f"- **{label}**: {markdown_text(text)}" for label, text in card.items())


def render_markdown(table: Table) -> str:
    """Write the page of a board: the tables, and what each column means in plain words."""
    board = table.board
    parts = [f"# {board.title}", table.setting]
    if board.description:
        parts.append(board.description)
    if table.chance:
        parts.append(f"{table.chance}.")
    if sentences := verdict(table):
        parts.append("\n".join(f"- {markdown_text(sentence)}" for sentence in sentences))
    parts.append(ranking(table))
    if has_forest(table):
        parts.append(f"![Differences to {markdown_text(table.reference_label)}]({NAME})")
    parts += _listed(notes(table))
    parts += ["## Scenario by scenario", scenario_table(table)]
    parts += headroom_parts(table)
    parts += _recall_parts(table)
    parts += _label_parts(table)
    parts += ["## What the columns mean", *_listed(meanings(table))]
    parts += _card_parts(table)
    parts += ["## Further tables", *folded_parts(table)]
    return "\n\n".join(parts) + "\n"


def _listed(lines: list[str]) -> list[str]:
    return ["\n".join(f"- {line}" for line in lines)] if lines else []


def render_json(table: Table) -> str:
    """Write everything that the table holds."""
    plain = json.dumps(table.to_json(), sort_keys=True, ensure_ascii=False)
    return (
        msgspec.json.format(plain, indent=1) + "\n"
    )  # as json.dumps would, in a third of the time
