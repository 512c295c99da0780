"""The notes under a table: what each column means, who is not ranked and why, how to recompute."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchbase.boards.board import Board
from benchbase.judging.clinical import SPECIFICITY, CostAvoided, Sensitivity
from benchbase.judging.statistics import smallest_sign_flip_p
from benchbase.leaderboard.cells import failures_text, metric_name
from benchbase.leaderboard.table import FIRM_SEEDS, PROVISIONAL, Table

_RULES_IN_WORDS = {
    "tail": "averaged over the last fifth of the epochs (one to five)",
    "last": "of the last epoch",
    "last5": "averaged over the last five epochs",
    "val_noisy": "of the epoch that was best on the noisy validation labels",
}


_A_LOOK = 10
"""Fewer epochs than this are too few to compare methods that learn their weights."""
_ALPHA = 0.05
_NAMED = 3
"""Methods that share a reason and are named one by one."""


def notes(table: Table) -> list[str]:
    """Say what to know before the table is believed, each one line of Markdown."""
    marked = [re.sub("^([*>])", r"\\\1", line) for line in remarks(table)]
    return [*table.own_data, *marked]


def meanings(table: Table) -> list[str]:
    """Say what each column means and where the page comes from, each one line of Markdown."""
    return [*_columns(table), *_test(table), *_origin(table)]


def _columns(table: Table) -> Iterator[str]:
    board = table.board
    seeds = len(board.seeds)
    yield (
        f"**Score**: {_metric_text(board)} on the test set, "
        f"{_RULES_IN_WORDS[board.rule]}, averaged over scenarios and then over {seeds} "
        f"seed{'s' * (seeds != 1)}. ± is half of a 95 % t interval over seeds: it speaks about "
        "these tasks only, not about other data. A row with failures has none. A row that lacks "
        "cells or scores is averaged over the seeds at which every scenario has one. **Last "
        "epoch**: the same for the finished model. Controls: over their own seeds."
    )
    yield (
        f"**Difference**: paired with {table.reference_label} (same data, same wrong labels, same "
        f"seeds), mean and half of the 95 % t interval over {table.blocks}, in points. "
        "*Tied*: the interval contains zero."
    )
    yield (
        f"**Rank**: from the best to the worst place that these {table.blocks} leave open, so "
        "methods with overlapping ranges are not told apart. The ranges hold at 95 % for the whole "
        "table (Tukey's studentised range, spread pooled over the ranked methods). Whoever fails "
        "in fewer cells and has the higher mean is ahead without further question. **In single "
        f"scenarios** methods part from {table.reference_label} by the same range over seeds, with "
        "the spread of each scenario, at 95 % for all scenarios and methods together."
    )
    yield (
        "**Cells**: how many of the planned ones were run (a cell is one method in one scenario "
        "at one seed). **Failed**: those that crashed, ran out of memory or time, or diverged. A "
        "failed cell scores 0 and stays in the mean."
    )
    yield (
        f"**Training time**: seconds against {table.reference_label}, median over the cells "
        "that both finished on the same kind of device, with whatever else the machine did then. "
        "A first, thrown-away step comes before the clock. **Judging**: share "
        "of the time that went into predicting and scoring. **Peak memory**: of the worst cell."
    )
    yield (
        "**Needs**: what a method asks for beyond the noisy labels, and what it was given. "
        "**Oracle gap**: points that choosing the epoch on test labels would have added. "
        "**Weight AUROC**: how well the method's sample weights tell right labels from wrong "
        "ones (0.5 is chance; below 0.5 the method prefers wrong labels; a dash where it weighs "
        "all alike). **Code**: how the implementation relates to the publication. **Evidence**: "
        "*self-reported*, nothing but the records; *recomputed*, when this page was written every "
        "score followed from the predictions that are kept beside them (`benchbase verify`); "
        "*replayed*, cells were trained again, by whom and when as a line beside them claims."
    )


def _metric_text(board: Board) -> str:
    """Name the board's metric, and how the board has set it up."""
    name = metric_name(board.metric)
    if board.metric == Sensitivity.name:
        kept = board.metric_options.get("specificity", SPECIFICITY)
        return f"{name} (of the second class, where {kept:.0%} of the first are left alone)"
    if board.metric == CostAvoided.name:
        rows = "; ".join(
            ", ".join(f"{cost:g}" for cost in row) for row in board.metric_options["costs"]
        )
        return (
            f"{name} (1 minus the cost of the answers over that of the dearest ones; costs by true "
            f"class, then by answer: {rows})"
        )
    return name


def _test(table: Table) -> Iterator[str]:
    tested = [row for row in table.rows if row.p is not None]
    if not tested or _reference_failed(table):
        return
    blocks = max(row.difference.blocks for row in tested if row.difference)
    if smallest_sign_flip_p(blocks) >= _ALPHA:  # no p that it can reach would say anything
        return
    values = ", ".join(f"{row.label} {row.p:.3f}" for row in tested)
    yield (
        f"**Exact sign-flip test** over {blocks} {table.blocks}, two-sided, Holm-adjusted over "
        f"{len(tested)} comparison{'s' * (len(tested) != 1)}: p = {values}."
    )


def remarks(table: Table) -> Iterator[str]:
    """Say what to know of the data, who is not ranked, what is only a look, as plain text."""
    epochs = max(scenario.recipe.epochs for scenario in table.board.scenarios)
    if epochs < _A_LOOK:
        yield (
            f"{epochs} epoch{'s are' if epochs > 1 else ' is'} a look, not a comparison: weights "
            "that are learned need longer to move."
        )
    if any(row.is_own for row in table.rows):
        yield "> A file or module of one's own, in no installed distribution."
    yield from table.leaks
    yield from table.as_given
    if any(row.standing == PROVISIONAL for row in table.rows):
        yield f"* Provisional: {len(table.board.seeds)} seeds; a firm rank needs {FIRM_SEEDS}."
    if _reference_failed(table):
        yield (
            f"The reference {table.reference.label} failed in {failures_text(table.reference)} of "
            f"{table.reference.covered} cells. Each of these scores 0 and distorts every "
            "difference to it, so no difference has an interval or a test."
        )
    yield from _too_good(table)
    controls = [row.label for row in table.rows if row.is_control]
    if controls:
        yield (
            f"Never ranked: {', '.join(controls)} (control). A control is a yardstick; one that "
            f"runs at fewer seeds is compared with {table.reference_label} over these."
        )
    fewer = [
        f"{row.label} {row.cost.steps:.0%}"
        for row in table.rows
        if row.cost.steps is not None and row.cost.steps < 1
    ]
    if fewer:
        yield f"Fewer optimiser steps than the recipe's: {', '.join(fewer)}."
    yield from _unmoved(table)
    reasons: dict[str, list[str]] = {}
    for row in table.rows:
        if not row.has_rank and not row.is_control:
            reasons.setdefault(row.standing, []).append(row.label)
    for why, labels in reasons.items():
        names = ", ".join(labels)
        if len(labels) > _NAMED:
            everyone = len(labels) == sum(not row.is_control for row in table.rows)
            names = f"{'all ' * everyone}{len(labels)} methods"
        yield f"Not ranked: {names} ({why})."
    if table.not_identifiable:
        names = "; ".join(table.scenario_labels[index] for index in sorted(table.not_identifiable))
        yield (
            f"‡ Not identifiable: {names}. The true class is not the most likely label there, so "
            "it counts in no score and no rank."
        )


def _too_good(table: Table) -> Iterator[str]:
    for row in table.too_good:
        yield (
            f"{row.label} is too good to be true: it is {table.reference_label} in another's "
            "hands and beats it beyond the spread of its seeds. Replay it before believing it."
        )


def _unmoved(table: Table) -> Iterator[str]:
    unmoved = [
        row.label
        for row in table.rows
        if row.weighing and row.weighing.never_left_one and row is not table.reference
    ]
    if unmoved:
        yield f"Weights that never left 1: {', '.join(unmoved)}; they train as if there were none."


def _reference_failed(table: Table) -> bool:
    return table.reference.failed > 0


def _origin(table: Table) -> Iterator[str]:
    yield from table.augmentation
    versions = sorted({row.versions["torch"] for row in table.rows if row.versions})
    if versions:
        devices = f" on {', '.join(table.devices)}" if table.devices else ""
        yield f"Ran with torch {', '.join(versions)}{devices}."
    yield (
        "This page is generated from the records; nothing on it is written by hand. Below "
        "`leaderboards/`, `benchbase run --board NAME` runs what is missing and writes the page, "
        "and `benchbase leaderboard` writes it again from the records alone."
    )
