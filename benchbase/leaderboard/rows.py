"""From records to a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import numpy as np

from benchbase.boards.board import Board
from benchbase.judging.separation import spread
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.choose import Entry, choose
from benchbase.leaderboard.class_recalls import class_recalls
from benchbase.leaderboard.compare import Compared, compare, data_sets, scores_of
from benchbase.leaderboard.corrections import correction_texts
from benchbase.leaderboard.evidence import NONE, Evidence, evidence_text
from benchbase.leaderboard.label_curves import label_curves
from benchbase.leaderboard.leaks import leak_texts
from benchbase.leaderboard.own_data import cards_of, own_data_texts
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.leaderboard.setting import (
    as_given_texts,
    augmentation_texts,
    chance_text,
    not_identifiable,
    real_noise_texts,
    setting_text,
)
from benchbase.leaderboard.table import Cost, Row, ScenarioScore, Table
from benchbase.leaderboard.versions import of_one_version
from benchbase.leaderboard.weighing import mean, weighing
from benchbase.records.record import Record
from benchbase.records.store import collection_paused

_RULES = ("tail", "last", "last5", "val_noisy", "val_clean", "oracle")


@collection_paused()
def build(board: Board, records: Iterable[Record], evidence: Evidence = NONE) -> Table:
    """Make the leaderboard of ``board``: a pure function of the records, in any order.

    ``evidence`` is what bears them out.

    Raises:
        StoreError: records on the same data contradict each other.
    """
    return tabulate(board, choose(board, records), evidence)


@collection_paused()
def tabulate(board: Board, chosen: Sequence[Entry], evidence: Evidence = NONE) -> Table:
    """Make the leaderboard of what was chosen.

    Raises:
        StoreError: records on the same data contradict each other.
    """
    entries = of_one_version(board, chosen)
    [reference] = (entry for entry in entries if entry.reference)
    left_out = not_identifiable(board, entries)
    groups = data_sets(board, left_out)
    compared = compare(board, entries, groups)
    rows = [
        dataclasses.replace(
            _row(entry, reference, board, compared[entry.label], left_out),
            evidence=evidence_text(entry.cells.values(), evidence),
        )
        for entry in entries
    ]
    devices = {_device(record) for entry in entries for record in entry.cells.values()}
    return Table(
        board=board,
        reference_label=reference.label,
        setting=setting_text(board, entries),
        rows=tuple(sorted(rows, key=_order)),
        scenario_labels=scenario_labels(board.scenarios),
        not_identifiable=left_out,
        blocks="data sets" if len(groups) > 1 else "seeds",
        devices=tuple(sorted(devices - {""})),
        chance=chance_text(board, entries),
        class_recalls=class_recalls(board, entries),
        yardsticks={entry.yardstick: entry.label for entry in entries if entry.yardstick},
        spread=_spread(compared),
        augmentation=augmentation_texts(board, entries),
        leaks=leak_texts(board, entries),
        as_given=(*as_given_texts(board, entries), *real_noise_texts(board, entries)),
        corrections=correction_texts(board, entries),
        own_data=own_data_texts(board, entries),
        cards=cards_of(board, entries),
    )


def _spread(compared: Mapping[str, Compared]) -> float | None:
    blocks = [
        one.blocks
        for one in compared.values()
        if one.ranks is not None and not one.failures and not np.isnan(one.blocks).any()
    ]
    if len(blocks) < 2 or len(blocks[0]) < 2:
        return None
    return spread(np.stack(blocks))


def _order(row: Row) -> tuple[bool, bool, float, str]:
    return (
        row.is_control,
        not row.has_rank,
        1.0 if row.score is None else -row.score.mean,
        row.label,
    )


def _row(
    entry: Entry,
    reference: Entry,
    board: Board,
    compared: Compared,
    left_out: frozenset[int],
) -> Row:
    records = [*entry.cells.values()]
    counted = [  # the cells that the score is of
        record
        for (scenario, seed), record in entry.cells.items()
        if scenario not in left_out and seed in compared.seeds
    ]
    finished = [record for record in counted if record.status == "ok"]
    rules = {rule: mean(scores_of(counted, rule, board.metric)) for rule in _RULES}
    oracle, headline = rules["oracle"], rules[board.rule]
    metrics = _means(counted, board.rule)
    return Row(
        label=entry.label,
        name=entry.name,
        options=entry.options,
        standing=compared.standing,
        ranks=compared.ranks,
        score=compared.score,
        difference=compared.difference,
        p=compared.p,
        covered=len(records),
        planned=len(board.scenarios) * len(entry.seeds),
        failures=compared.failures,
        cost=_cost(entry, reference),
        needs=_joined((need, grant) for r in records for need, grant in r.grants.items()),
        honesty=next((record.honesty for record in records if record.honesty), ""),
        oracle_gap=None if oracle is None or headline is None else oracle - headline,
        last_epoch=compared.last_epoch,
        weighing=weighing(counted),
        scenarios=tuple(
            _scenario_score(entry, index, compared) for index in range(len(board.scenarios))
        ),
        rules=rules,
        metrics=metrics,
        without_value=_joined(
            (name, score.reason)
            for name, value in metrics.items()
            if value is None
            for record in finished
            if (score := record.metrics.get(board.rule, {}).get(name)) and score.reason
        ),
        versions=_versions(records),
        label_curves=label_curves(entry, board),
        headroom=compared.headroom,
    )


def _scenario_score(entry: Entry, index: int, compared: Compared) -> ScenarioScore:
    records = entry.by_scenario.get(index, [])
    cells = compared.cells[index]
    return ScenarioScore(
        score=estimate(cells[~np.isnan(cells)]),
        covered=len(records),
        failures=sum(record.status != "ok" for record in records),
        difference=compared.by_scenario.get(index),
    )


def _cost(entry: Entry, reference: Entry) -> Cost:
    costs = [record.cost for record in entry.cells.values()]
    total = sum(cost.seconds_total for cost in costs)
    judge = sum(cost.seconds_judge for cost in costs)
    memory = [cost.peak_memory_bytes for cost in costs if cost.peak_memory_bytes]
    ratios = []
    for place, mine in entry.cells.items():
        theirs = reference.cells.get(place)
        if theirs is None:
            continue
        if mine.status == theirs.status == "ok" and _device(mine) == _device(theirs):
            own, other = mine.cost.seconds_train, theirs.cost.seconds_train
            ratios += [own / other] if own and other else []
    return Cost(
        relative_seconds=median(ratios) if ratios else None,
        seconds_train=median(cost.seconds_train for cost in costs) if costs else None,
        judge_share=judge / total if total else None,
        peak_memory_bytes=max(memory, default=None),
        labels_bought=sum(cost.labels_bought for cost in costs),
        **_work([*entry.cells.values()]),
    )


def _work(records: Sequence[Record]) -> dict[str, float | None]:
    """Give what was done a step, from the cells whose steps were counted."""
    counted = [
        (record.cost.seconds_train, record.training)
        for record in records
        if record.training is not None and any(record.training.updates)
    ]
    updates = sum(sum(training.updates) for _, training in counted)
    seconds = sum(seconds for seconds, _ in counted)
    shares = [max(training.updates) / training.steps_allowed for _, training in counted]
    return {
        "seconds_per_step": seconds / updates if updates else None,
        "images_with_gradient": mean(training.images_with_gradient for _, training in counted),
        "steps": min(shares, default=None),
    }


def _device(record: Record) -> str:
    return record.cost.device


def _means(records: Sequence[Record], rule: str) -> dict[str, float | None]:
    """Average each metric over the records that finished.

    None where one of them has no value, for means over other cells do not compare.
    """
    values: dict[str, list[float]] = {}
    finished = 0
    for record in records:
        finished += record.status == "ok"
        for name, score in record.metrics.get(rule, {}).items():
            if not isinstance(score.value, list):
                known = values.setdefault(name, [])
                if score.value is not None and record.status == "ok":
                    known.append(score.value)
    return {
        name: mean(values[name]) if len(values[name]) == finished else None
        for name in sorted(values)
    }


def _versions(records: Sequence[Record]) -> dict[str, str]:
    if not records:
        return {}
    spec = records[0].spec
    weighter = spec.weighter
    return {
        "distribution": weighter.distribution,
        "version": weighter.version or f"code {weighter.source[:12]}",
        "torch": spec.torch,
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Collect the values of each name: ``clean``, or ``clean, noisy`` where they differ."""
    values: dict[str, set[str]] = {}
    for name, value in pairs:
        values.setdefault(name, set()).add(str(value))
    return {name: ", ".join(sorted(values[name])) for name in sorted(values)}
