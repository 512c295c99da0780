"""A table as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchbase.boards.board import Board
from benchbase.judging.rules import CHOSEN_ON
from benchbase.judging.scales import SCALES
from benchbase.leaderboard.cells import (
    METRIC_ORDER,
    NOTHING,
    RULE_NAMES,
    cost_text,
    difference_text,
    failures_text,
    label_text,
    last_epoch_text,
    marked_label,
    memory_text,
    metric_name,
    needs_text,
    number_text,
    rank_text,
    rule_name,
    score_text,
    share_text,
)
from benchbase.leaderboard.class_recalls import recall_tables
from benchbase.leaderboard.label_curves import label_note, label_tables
from benchbase.leaderboard.pages.escaping import markdown_table, markdown_text
from benchbase.leaderboard.pages.forest_chart import NAME, has_forest
from benchbase.leaderboard.pages.label_chart import chart_name
from benchbase.leaderboard.pages.notes import notes
from benchbase.leaderboard.table import Table
from benchbase.leaderboard.words import verdict


def _main_table(table: Table) -> str:
    """Write what a reader looks for first; the rest is in ``_further_table``."""
    header = ["rank", "method", f"{metric_name(table.board.metric)} (%)"]
    header += [f"difference to {table.reference_label}"]
    header += ["share of headroom"] * _has_headroom(table)
    header += ["training time", "needs (granted)"]
    rows = [
        [
            rank_text(row),
            marked_label(row),
            score_text(row.score, row.failed, row.covered),
            difference_text(row, table.reference),
            *[share_text(row.headroom.overall if row.headroom else None)] * _has_headroom(table),
            cost_text(row),
            needs_text(row) if row.covered else NOTHING,
        ]
        for row in table.rows
    ]
    return markdown_table(rows, header)


def _has_headroom(table: Table) -> bool:
    return any(row.headroom is not None for row in table.rows)


def _further_table(table: Table) -> str:
    header = ["method", "last epoch (%)", "cells", "failed", "judging", "peak memory"]
    header += ["oracle gap", "weight AUROC", "code"]
    rows = [
        [
            label_text(row),
            last_epoch_text(row),
            f"{row.covered}/{row.planned}",
            failures_text(row),
            number_text(row.cost.judge_share, ".0%"),
            memory_text(row),
            number_text(row.oracle_gap, "+.1f", 100),
            number_text(row.weight_auroc, ".3f"),
            row.honesty or NOTHING,
        ]
        for row in table.rows
    ]
    return markdown_table(rows, header)


def _headroom_parts(table: Table) -> Iterator[str]:
    if not _has_headroom(table):
        return
    rows = [
        [
            marked_label(row),
            row.headroom.ceiling,
            *map(share_text, (row.headroom.overall, *row.headroom.scenarios)),
        ]
        for row in table.rows
        if row.headroom is not None
    ]
    yield "## Share of the headroom"
    yield markdown_table(rows, ["method", "ceiling", "over all", *table.scenario_labels])
    yield (
        f"(Method - {table.reference_label}) / (ceiling - {table.reference_label}), paired by seed "
        "with a 95 % interval (Fieller). Over all: the ratio of the sums over the scenarios with "
        "wrong labels in which there surely is something to win. *Cannot tell*: the ceiling's own "
        "lead may be zero there."
    )


def _scenario_table(table: Table) -> str:
    header = ["method"]
    for index, label in enumerate(table.scenario_labels):
        header.append(f"{label} ‡" if index in table.not_identifiable else label)
    rows = []
    for row in table.rows:
        cells = []
        seeds = row.planned // len(row.scenarios)
        for scenario in row.scenarios:
            text = score_text(scenario.score, scenario.failures, scenario.covered)
            if 0 < scenario.failures < scenario.covered:
                text += f" ({scenario.failures} failed)"
            if 0 < scenario.covered < seeds:
                text += f" ({scenario.covered} of {seeds} seeds)"
            cells.append(text)
        rows.append([label_text(row), *cells])
    return markdown_table(rows, header)


def _rule_table(table: Table) -> str:
    rows = [
        [marked_label(row), *(number_text(row.rules[rule], ".1f", 100) for rule in RULE_NAMES)]
        for row in table.rows
    ]
    return markdown_table(rows, ["method", *RULE_NAMES.values()])


def _metric_table(table: Table) -> str:
    known = {name for row in table.rows for name in row.metrics}
    names = [name for name in METRIC_ORDER if name in known]
    names += sorted(known - set(names))
    rows = [
        [marked_label(row), *(number_text(row.metrics.get(name), ".3f") for name in names)]
        for row in table.rows
    ]
    return markdown_table(rows, ["method", *map(metric_name, names)])


def _lower_is_better(table: Table) -> str:
    shown = {name for row in table.rows for name in row.metrics}
    words = [s.words for name, s in SCALES.items() if s.lower_is_better and name in shown]
    return " and ".join(words)


def _without_value(table: Table) -> str:
    """Say why a metric has no value where a dash stands."""
    reasons = {
        f"{markdown_text(metric_name(name))} ({markdown_text(reason)})"
        for row in table.rows
        for name, reason in row.without_value.items()
    }
    return f" No value: {'; '.join(sorted(reasons))}." if reasons else ""


def _chosen_by(board: Board) -> str:
    if board.rule not in CHOSEN_ON:
        return ""
    return (
        " The epoch is that which is best by the metric itself, where it may rank, and by balanced "
        "accuracy for the others."
    )


def _code_table(table: Table) -> str:
    rows = [
        [label_text(row), *(row.versions[name] or NOTHING for name in ("distribution", "version"))]
        for row in table.rows
        if row.versions
    ]
    return markdown_table(rows, ["method", "distribution", "version"])


def _work_parts(table: Table) -> list[str]:
    """Write what a step took; nothing where no record counts any."""
    rows = [
        [
            label_text(row),
            number_text(row.cost.steps, ".0%"),
            number_text(row.cost.seconds_per_step, ".1f", 1000),
            number_text(row.cost.images_with_gradient, ",.0f"),
        ]
        for row in table.rows
        if row.cost.seconds_per_step is not None
    ]
    if not rows:
        return []
    header = ["method", "steps of the recipe", "ms a step", "images with gradient"]
    note = (
        "Steps: updates of the most updated network, in the cell of fewest. Time: training time by "
        "the updates of all networks. Images: passed through networks with gradient in a cell; a "
        "cost, not a bound. Far more time or images a step than others' wants a look at the code."
    )
    return ["## What a step took", markdown_table(rows, header), note]


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
    parts.append(_main_table(table))
    if has_forest(table):
        parts.append(f"![Differences to {markdown_text(table.reference_label)}]({NAME})")
    parts.append("\n".join(f"- {note}" for note in notes(table)))
    parts += ["## Further columns", _further_table(table)]
    parts += ["## Scenario by scenario", _scenario_table(table)]
    parts += _headroom_parts(table)
    parts += _recall_parts(table)
    parts += _label_parts(table)
    parts += ["## Other ways to choose the epoch", _rule_table(table)]
    parts.append(
        f"{metric_name(board.metric).capitalize()} in percent, mean of the cells that finished, "
        "over the seeds of the score. * looks at labels that nobody has in practice: a "
        "diagnostic, never ranked. † has failed cells, which are missing from this mean."
    )
    if any(row.metrics for row in table.rows):
        parts += [f"## Other metrics ({rule_name(board.rule)})", _metric_table(table)]
        parts.append(
            "Mean of the cells that finished, over the seeds of the score; lower is better for "
            f"{_lower_is_better(table)}.{_chosen_by(board)}{_without_value(table)}"
        )
    parts += _work_parts(table)
    parts += _card_parts(table)
    if any(row.versions for row in table.rows):
        parts += ["## Whose code ran", _code_table(table)]
        parts.append(
            "The installed distribution that brought the method; *file* or *module* for a method "
            "given by path or by module name."
        )
    return "\n\n".join(parts) + "\n"


def render_json(table: Table) -> str:
    """Write everything that the table holds."""
    return json.dumps(table.to_json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
