"""Computes metrics of plugins and boards again, from the kept predictions of a finished cell.

Metrics are no part of a cell's identity: a changed one costs no training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benchbase.errors import StoreError, UsageError
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import Undefined
from benchbase.judging.rules import CHOSEN_ON, mean
from benchbase.judging.scales import RANKABLE
from benchbase.records.predictions import Predictions, read_predictions
from benchbase.records.record import Record, Score
from benchbase.records.store import Store

NOT_ASKED = Undefined("the checkpoint is chosen by this metric, which was not asked for then")


def scored_again(
    found: Mapping[str, Record], metrics: Sequence[Extra], store: Store
) -> dict[str, Record]:
    """Bring finished records up to date, and keep what was computed: key -> record."""
    records = {}
    for key, record in found.items():
        records[key] = rescored(record, metrics, store.home.path)
        if records[key] is not record:
            store.rescore(records[key])
    return records


def rescored(record: Record, metrics: Sequence[Extra], home: Path) -> Record:
    """Give the record with these metrics in their present version.

    It is the same one where it holds them, or where its predictions are not here.
    """
    told = record.metric_versions
    stale = [metric for metric in metrics if told.get(metric.name) != metric.version]
    if record.status != "ok" or not stale:
        return record
    try:
        kept = read_predictions(record, home)
    except (UsageError, StoreError):
        return record
    blocks = {rule: {**scores} for rule, scores in record.metrics.items()}
    for metric in stale:
        for rule, block in _blocks(metric, record.selected, kept).items():
            blocks[rule][metric.name] = block
    names = {metric.name for metric in stale}
    curves = {f"test_{name}" for name in names}
    return msgspec.structs.replace(
        record,
        metrics=blocks,
        metric_versions={**told, **{metric.name: metric.version for metric in stale}},
        chosen={name: rules for name, rules in record.chosen.items() if name not in names},
        curves={name: curve for name, curve in record.curves.items() if name not in curves},
    )


def _blocks(metric: Extra, selected: dict[str, list[int]], kept: Predictions) -> dict[str, Score]:
    """Score the checkpoints of each rule."""
    scores = {
        checkpoint: metric.score(logits, kept.test_labels)
        for checkpoint, logits in zip(kept.checkpoints, kept.test_logits, strict=True)
    }
    chooses = metric.name in RANKABLE
    return {
        rule: msgspec.convert(
            mean([NOT_ASKED] if chooses and rule in CHOSEN_ON else [scores[each] for each in at]),
            Score,
        )
        for rule, at in selected.items()
    }
