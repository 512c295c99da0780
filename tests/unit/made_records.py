"""Synthetic records: what the runner would have written, with chosen scores."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.boards.board import Board
from benchbase.boards.selectors import parse_selector, parse_selectors
from benchbase.cell import JSON, Cell, DataIdentity, Scenario, Status, WeighterSpec, content_hash
from benchbase.judging.relabelling import SCORES, describe_levels
from benchbase.records.home import Home
from benchbase.records.record import Provenance, Record, Result, Score, typed_result

NUMERICS = {"precision": "float32", "deterministic": True, "cpu_capability": "AVX2"}
PROVENANCE = Provenance(
    argv=["run"],
    executor="local",
    versions={},
    python="3.11.7",
    system="Linux x86_64",
    gpus=[],
    host="0123",
    commit=None,
    dirty=None,
)
CORRUPTION: JSON = {
    "classes": [],
    "realised_rate": 0.2,
    "transition": [[0.7654321, 0.2345679]],
    "rate_per_class": [],
    "class_counts": [],
    "observed_counts": [],
    "validation_realised_rate": 0.2,
    "validation_class_counts": [],
    "trusted_count": 0,
    "trusted_per_class": [],
    "unlabelled_count": 0,
    "test_count": 0,
    "leakage": {},
}
RULES = ("tail", "last", "last5", "val_noisy", "val_clean", "oracle")
FIRST = "20260101T000000.000000Z-00000000"
METRICS = ("accuracy", "macro_f1", "mcc", "macro_auroc", "macro_auprc", "rarest_recall")


def make_scenario(rate: float = 0.0, ratio: float = 1.0, **fields: Any) -> Scenario:
    noise = {"noise": "symmetric", "noise_options": {"rate": rate}} if rate else {}
    imbalance = {"imbalance": "exponential", "imbalance_options": {"ratio": ratio}}
    return Scenario(**{**noise, **imbalance, **fields})


CLEAN = make_scenario()
NOISY = make_scenario(0.4)


def under_secret(record: Record, fingerprint: str) -> Record:
    """Give the record of the same cell with its noise drawn from a secret."""
    spec = record.spec
    data = dataclasses.replace(spec.data, labels_hash=f"secret:{fingerprint}")
    spec = msgspec.structs.replace(spec, data=data)
    return msgspec.structs.replace(
        record,
        spec=spec,
        key=content_hash(msgspec.to_builtins(spec)),
        noise_secret=fingerprint,
    )


def make_board(
    weighters: Sequence[str] = ("plain", "clever"),
    scenarios: Iterable[Scenario] = (CLEAN, NOISY),
    seeds: int = 5,
    controls: Sequence[str] = (),
    reference: str = "plain",
    **fields: Any,
) -> Board:
    return Board(
        **{"name": "demo", "title": "Demo board", **fields},
        scenarios=tuple(scenarios),
        seeds=tuple(range(seeds)),
        weighters=parse_selectors(weighters),
        controls=parse_selectors(controls),
        reference=parse_selector(reference),
    )


def make_metrics(score: float, gap: float = 0.01) -> JSON:
    """Give scores under every rule; the oracle's is ``gap`` above the others."""
    scores = {rule: score + gap * (rule == "oracle") for rule in RULES}
    return {
        rule: {
            "balanced_accuracy": {
                "value": scores[rule],
                "interval": [score - 0.02, score + 0.02],
            },
            **{name: {"value": score, "interval": None} for name in METRICS},
            "brier": {"value": 1 - score, "interval": None},
            "ece": {"value": 0.05, "interval": None},
            "recall_per_class": {
                "value": [scores[rule], scores[rule], None],
                "interval": None,
            },
        }
        for rule in RULES
    }


def attempt_name(number: int) -> str:
    """Name an attempt; names sort by number."""
    return f"20260101T000000.{number:06}Z-00000000"


def make_record(
    weighter: str = "plain",
    scenario: Scenario = CLEAN,
    seed: int = 0,
    score: float = 0.8,
    *,
    status: Status = "ok",
    attempt: str = FIRST,
    options: Mapping[str, Any] | None = None,
    source: str = "s1",
    distribution: str = "demo-plugin",
    torch: str = "2.15",
    data: str = "d1",
    truth_known: bool = True,
    seconds: float = 10.0,
    auroc: float | None = None,
    grants: Mapping[str, str] | None = None,
    identifiable: bool = True,
    relabelling: JSON | None = None,
    unranked: str | None = None,
    **fields: Any,
) -> Record:
    """Build the record of one attempt, ok or failed."""
    cell = Cell(
        weighter=WeighterSpec(weighter, dict(options or {}), source, distribution, "1.0"),
        scenario=scenario,
        data=DataIdentity("f1", "p1", data, truth_known=truth_known),
        backbone_source="b1",
        seed=seed,
        torch=torch,
    )
    good = status == "ok"
    blocks = {
        "status": status,
        "reason": None if good else f"{status} on purpose",
        "error": None if good else {"type": "ValueError", "message": "no", "traceback": "line 1"},
        "metrics": make_metrics(score) if good else {},
        "selected": {"tail": [2], "last": [2], "last5": [2]} if good and not relabelling else {},
        "curves": make_curves(score, relabelling) if good else {},
        "relabelling": relabelling,
        "weights": make_weights(auroc) if good and auroc is not None else None,
        "corruption": {**CORRUPTION, "identifiable": identifiable},
        "grants": dict(grants or {}),
        "honesty": "defined here",
        "cost": make_cost(seconds),
        "training": make_training(unranked) if good else None,
        "artefacts": {"predictions": {"sha256": "abc"}} if good else {},
        "numerics": NUMERICS,
        "provenance": PROVENANCE,
    }
    result = typed_result(**{**blocks, **fields})
    head = {"key": cell.key, "attempt": attempt, "spec": cell.spec}
    return Record(**head, **msgspec.structs.asdict(result))


def make_result(status: Status = "ok", **fields: Any) -> Result:
    """Build the result of a cell that says little."""
    common = {"cost": make_cost(10.0), "numerics": NUMERICS, "provenance": PROVENANCE}
    return typed_result(status=status, **{**common, **fields})


def changed(record: Record, block: str, **fields: Any) -> Record:
    """Give the record with other fields in one of its blocks."""
    part = msgspec.structs.replace(getattr(record, block), **fields)
    return msgspec.structs.replace(record, **{block: part})


def undefined(record: Record, metric: str = "balanced_accuracy") -> Record:
    """Give the record of one who finished where a score does not exist."""
    gone = Score(value=None, reason="all images are of one class")
    metrics = {rule: {**scores, metric: gone} for rule, scores in record.metrics.items()}
    return msgspec.structs.replace(record, metrics=metrics)


def store_predictions(
    home: Path,
    record: Record,
    checkpoints: Sequence[int],
    logits: NDArray[np.float16],
    labels: NDArray[np.int64],
) -> tuple[Path, str]:
    """Keep what a cell predicts for test images that are its validation images too."""
    path = Home(home).predictions(record.key, record.attempt)
    path.parent.mkdir(parents=True)
    np.savez(
        path,
        checkpoints=np.array(checkpoints),
        **{f"{part}_logits": logits for part in ("test", "validation")},
        **dict.fromkeys(("test_labels", "validation_labels", "validation_true"), labels),
    )
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def make_cost(seconds: float) -> JSON:
    return {
        "seconds_train": seconds,
        "seconds_judge": 1.0,
        "seconds_total": seconds + 2.0,
        "peak_memory_bytes": 300 * 2**20,
        "images_forwarded": 600,
        "images_backpropagated": 300,
        "images_judged": 200,
        "parameters": 1000,
        "labels_bought": 0,
        "device": "cpu",
        "concurrent_cells": 1,
    }


def make_training(unranked: str | None) -> JSON:
    return {
        "steps_allowed": 30,
        "updates": [30],
        "checkpoint_updates": [10, 20, 30],
        "images_with_gradient": 300,
        "network_difference": None,
        "unranked": unranked,
    }


def make_weights(auroc: float) -> JSON:
    return {
        **dict.fromkeys(
            ("auprc", "roc", "deviation", "quantiles", "minority_mass", "clean_minority_near_zero")
        ),
        "auroc": auroc,
        "auroc_per_class": [auroc, None],
        "roc_per_class": [None, None],
        "effective_sample_size": 0.9,
        "unseen": 0,
        "never_left_one": False,
    }


def make_curves(score: float, relabelling: JSON | None = None) -> JSON:
    if relabelling:
        scores, counts = relabelling[SCORES[0]], relabelling["labels_bought"]
        return {"test_balanced_accuracy": scores, "labels_bought": [*map(float, counts)]}
    return {
        "test_balanced_accuracy": [score - 0.2, score - 0.1, score],
        "validation_noisy_balanced_accuracy": [score - 0.3, score - 0.2, score - 0.123456],
        "weight_auroc": [0.5, 0.6, None],
        "loss": [1.5, 1.0, 0.5],
    }


def make_relabelling(heights: Mapping[int, float]) -> JSON:
    """Give the block of a run that was judged at these numbers of labels bought."""
    return describe_levels([*heights], [dict.fromkeys(SCORES, value) for value in heights.values()])


def make_records(board: Board, scores: Mapping[str, float], **fields: Any) -> list[Record]:
    """Build ok records of every method, scenario and seed; scores vary a little by both."""
    return [
        make_record(
            name,
            scenario,
            seed,
            max(0.0, score - 0.05 * s + 0.01 * (seed % 3) + 0.002 * ((seed + m) % 2)),
            **fields,
        )
        for m, (name, score) in enumerate(scores.items())
        for s, scenario in enumerate(board.scenarios)
        for seed in board.seeds
    ]
