"""A table as CSV and as JSON lines: plain numbers, scores from 0 to 1."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchbase.cell import format_label
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.cells import needs_text
from benchbase.leaderboard.pages.captions import noise_labels
from benchbase.leaderboard.pages.escaping import spreadsheet_cell
from benchbase.leaderboard.table import Row, Table


def render_csv(table: Table) -> str:
    """Write a line for each method overall and for each method in each scenario."""
    lines = [
        {
            name: spreadsheet_cell(value) if isinstance(value, str) else value
            for name, value in line.items()
        }
        for line in _lines(table)
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def render_jsonl(table: Table) -> str:
    """Write the lines of the CSV as one JSON object each; what is empty there is null."""
    lines = (
        {name: None if (value := line.get(name, "")) == "" else value for name in _COLUMNS}
        for line in _lines(table)
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


_COLUMNS = (
    *("board", "method", "scenario", "dataset", "noise", "imbalance", "track", "backbone"),
    *("metric", "rule", "score", "low", "high", "last_epoch", "cells", "planned", "failed"),
    *("standing", "rank_best", "rank_worst", "difference", "difference_low", "difference_high"),
    *("p_holm", "relative_seconds", "seconds_train", "judge_share", "peak_memory_bytes"),
    *("labels_bought", "oracle_gap", "weight_auroc", "needs", "honesty", "distribution"),
    *("version", "torch"),
)


def _lines(table: Table) -> Iterator[dict[str, Any]]:
    scenarios = _scenario_cells(table)
    for row in table.rows:
        yield from _lines_of(row, table, scenarios)


def _scenario_cells(table: Table) -> list[dict[str, Any]]:
    """Give what lines say of each scenario, whatever the method."""
    scenarios = table.board.scenarios
    return [
        {
            "scenario": label,
            "dataset": scenario.data,
            "noise": noise,
            "imbalance": format_label(scenario.imbalance, scenario.imbalance_options),
            "track": scenario.track,
            "backbone": scenario.backbone,
            "standing": "not identifiable" if index in table.not_identifiable else "",
        }
        for index, (scenario, label, noise) in enumerate(
            zip(scenarios, table.scenario_labels, noise_labels(scenarios), strict=True)
        )
    ]


def _lines_of(
    row: Row, table: Table, scenarios: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    board = table.board
    shared = {"board": board.name, "method": row.label, "metric": board.metric, "rule": board.rule}
    difference = row.difference
    overall = {
        **shared,
        **_interval(row.score),
        "scenario": "overall",
        "last_epoch": _six(row.last_epoch),
        "cells": row.covered,
        "planned": row.planned,
        "failed": row.failed,
        "standing": row.standing,
        "rank_best": row.ranks[0] if row.ranks else "",
        "rank_worst": row.ranks[1] if row.ranks else "",
        **{
            f"difference{suffix}": value
            for suffix, value in zip(
                ("", "_low", "_high"), _interval(difference).values(), strict=True
            )
        },
        "p_holm": _six(row.p),
        "relative_seconds": _six(row.cost.relative_seconds),
        "seconds_train": _six(row.cost.seconds_train),
        "judge_share": _six(row.cost.judge_share),
        "peak_memory_bytes": row.cost.peak_memory_bytes,
        "labels_bought": row.cost.labels_bought,
        "oracle_gap": _six(row.oracle_gap),
        "weight_auroc": _six(row.weight_auroc),
        "needs": needs_text(row),
        "honesty": row.honesty,
        **{name: row.versions.get(name, "") for name in ("distribution", "version", "torch")},
    }
    each = [
        {
            **shared,
            **cells,
            **_interval(found.score),
            "cells": found.covered,
            "planned": row.planned // len(row.scenarios),
            "failed": found.failures,
        }
        for found, cells in zip(row.scenarios, scenarios, strict=True)
    ]
    return [overall, *each]


def _interval(score: Estimate | None) -> dict[str, Any]:
    if score is None:
        return {"score": "", "low": "", "high": ""}
    return {"score": _six(score.mean), "low": _six(score.low), "high": _six(score.high)}


def _six(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)
