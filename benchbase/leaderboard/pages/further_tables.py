"""The tables that are folded away: more columns, weights, other rules and metrics, work, code."""

from __future__ import annotations

from collections.abc import Iterator

from benchbase.boards.board import Board
from benchbase.judging.rules import CHOSEN_ON
from benchbase.judging.scales import SCALES
from benchbase.leaderboard.cells import (
    METRIC_ORDER,
    NOTHING,
    RULE_NAMES,
    failures_text,
    label_text,
    last_epoch_text,
    marked_label,
    memory_text,
    metric_name,
    number_text,
    percent_text,
    rule_name,
)
from benchbase.leaderboard.pages.escaping import markdown_table, markdown_text
from benchbase.leaderboard.table import Table

_MOST_CLASSES = 20
"""Classes up to which each has a column of its own."""
_CODE_NOTE = (
    "The installed distribution that brought the method; *file* or *module* for a method given by "
    "path or by module name."
)


def folded_parts(table: Table) -> Iterator[str]:
    """Write each of these sections, folded."""
    yield from _folded("Further columns", _further_table(table))
    if weights := _weight_parts(table):
        yield from _folded("Sample weights", *weights)
    yield from _folded("Other ways to choose the epoch", _rule_table(table), _rule_note(table))
    if any(row.metrics for row in table.rows):
        title = f"Other metrics ({rule_name(table.board.rule)})"
        yield from _folded(title, _metric_table(table), _metric_note(table))
    if work := _work_parts(table):
        yield from _folded("What a step took", *work)
    if any(row.versions for row in table.rows):
        yield from _folded("Whose code ran", _code_table(table), _CODE_NOTE)


def _folded(title: str, *parts: str) -> Iterator[str]:
    """Fold a section of Markdown; blank lines around its parts make them be read as such."""
    yield f"<details><summary>{title}</summary>"
    yield from parts
    yield "</details>"


def _rule_note(table: Table) -> str:
    return (
        f"{metric_name(table.board.metric).capitalize()} in percent, mean of the cells that "
        "finished, over the seeds of the score. * looks at labels that nobody has in practice: a "
        "diagnostic, never ranked. † has failed cells, which are missing from this mean."
    )


def _metric_note(table: Table) -> str:
    return (
        "Mean of the cells that finished, over the seeds of the score; lower is better for "
        f"{_lower_is_better(table)}.{_chosen_by(table.board)}{_without_value(table)}"
    )


def _weight_parts(table: Table) -> list[str]:
    """Write whether weights moved and what they found; nothing where none were reported."""
    told = [(row, row.weighing) for row in table.rows if row.weighing is not None]
    if not told:
        return []
    classes = [*dict.fromkeys(name for _, weighing in told for name in weighing.auroc_by_class)]
    classes = classes if len(classes) <= _MOST_CLASSES else []
    rows = [
        [
            label_text(row),
            number_text(weighing.effective_sample_size, ".0%"),
            number_text(weighing.deviation, ".2f"),
            number_text(weighing.auroc, ".3f"),
            *(number_text(weighing.auroc_by_class.get(name), ".3f") for name in classes),
            number_text(weighing.clean_minority_near_zero, ".0%"),
        ]
        for row, weighing in told
    ]
    header = ["method", "effective sample size", "spread", "AUROC"]
    header += [f"within {name}" for name in classes]
    header += ["rare and right, near zero"]
    note = (
        "Last weights of the training images, mean of the cells that reported any. Effective "
        "sample size: Kish's, as a share of the images; 100 % where all weigh the same. Spread: "
        "deviation of the weights divided by their mean. AUROC: of *weight* for *label is right*, "
        "over all images and within those of one given label, which leaves out that whole classes "
        "weigh more or less. Rare and right, near zero: share of the rightly labelled images of "
        "rare classes whose weight is below a tenth of the mean."
    )
    return [markdown_table(rows, header), note]


def _further_table(table: Table) -> str:
    header = ["method", "last epoch (%)", "cells", "failed", "judging", "peak memory"]
    header += ["oracle gap", "code", "evidence"]
    rows = [
        [
            label_text(row),
            last_epoch_text(row),
            f"{row.covered}/{row.planned}",
            failures_text(row),
            number_text(row.cost.judge_share, ".0%"),
            memory_text(row),
            percent_text(row.oracle_gap, "+.1f"),
            row.honesty or NOTHING,
            row.evidence or NOTHING,
        ]
        for row in table.rows
    ]
    return markdown_table(rows, header)


def _rule_table(table: Table) -> str:
    rows = [
        [marked_label(row), *(percent_text(row.rules[rule]) for rule in RULE_NAMES)]
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
    return [markdown_table(rows, header), note]
