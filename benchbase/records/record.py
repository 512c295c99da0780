"""Reads a record and checks that it may stand in a table: one JSON object, one attempt at a cell.

Whoever reads records, from the home or from git, reads them here. The checks are plain Python on
plain values, so that ten thousand records take well under a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NoReturn, TypeGuard, get_args

from benchbase.cell import JSON, Status, content_hash
from benchbase.judging.relabelling import SCORES, finished_models, mean_height
from benchbase.judging.scales import SCALES

SCHEMA = "benchbase-record-1"

BOUNDS: Mapping[str, tuple[float, float]] = {
    **{name: (scale.low, scale.high) for name, scale in SCALES.items()},
    "recall_per_class": (0.0, 1.0),
}
"""Smallest and largest value of each of benchbase's own metrics."""

_ATTEMPT = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{8}")
_STATUSES = frozenset(get_args(Status))
_LARGEST = 1e300
_ABSENT = object()
_UNBOUNDED = (-_LARGEST, _LARGEST)
_AVERAGE_TOLERANCE = 1e-5
_CURVE_TOLERANCE = 1e-4
"""Committed curves are rounded."""
_ROUNDING = 1e-6
"""Recalls and averages are computed in single precision."""

_COSTS = ("seconds_train", "seconds_judge", "seconds_total", "peak_memory_bytes", "labels_bought")
_FIELDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("key", "attempt", "status", "honesty"), (str,)),
    "reason": (str, type(None)),
    "error": (dict, type(None)),
    "trusted": (bool,),
    **dict.fromkeys(("spec", "metrics", "selected", "chosen", "curves", "weights"), (dict,)),
    "metric_versions": (dict,),
    **dict.fromkeys(("corruption", "grants", "cost", "training", "artefacts"), (dict,)),
    "provenance": (dict,),
}
_SPEC: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("protocol", "backbone_source", "numerics", "torch"), (str,)),
    **dict.fromkeys(("weighter", "scenario", "data"), (dict,)),
    "results_version": (int,),
    "seed": (int,),
}
_WEIGHTER: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "source", "distribution", "version"), (str,)),
    "options": (dict,),
}
_SCENARIO: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("dataset", "noise", "imbalance", "track", "backbone", "protocol"), (str,)),
    **dict.fromkeys(("noise_rate", "imbalance_ratio"), (int, float)),
    "recipe": (dict,),
}
_DATA: Mapping[str, tuple[type, ...]] = dict.fromkeys(
    ("fingerprint", "split_hash", "labels_hash"), (str,)
)


class NewerRecordError(ValueError):
    """A record of a benchbase that is newer than this one."""


def _is_newer(schema: Any) -> bool:
    name, _, number = SCHEMA.rpartition("-")
    found = re.fullmatch(rf"{name}-([0-9]{{1,9}})", schema) if isinstance(schema, str) else None
    return found is not None and int(found[1]) > int(number)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that a record may hold")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_record(text: str) -> JSON:
    """Read one record.

    Raises:
        ValueError: it is not JSON, not a record, or says what cannot be; the message says where.
    """
    try:
        record = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("too deeply nested for a record") from None
    if isinstance(record, dict) and _is_newer(record.get("schema")):
        raise NewerRecordError(
            f"it has the schema {record['schema']!r} of a newer benchbase: update benchbase"
        )
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ValueError(f"expected a JSON object with the schema {SCHEMA!r}")
    _check_types(record, _FIELDS, "")
    spec = record["spec"]
    _check_types(spec, _SPEC, "spec.")
    _check_types(spec["weighter"], _WEIGHTER, "spec.weighter.")
    _check_types(spec["scenario"], _SCENARIO, "spec.scenario.")
    _check_types(spec["data"], _DATA, "spec.data.")
    if content_hash(spec) != record["key"]:
        raise ValueError("its key is not the hash of its spec: the one or the other was changed")
    if not _ATTEMPT.fullmatch(record["attempt"]):
        raise ValueError(f"attempt {record['attempt']!r} is not the name of an attempt")
    if record["status"] not in _STATUSES:
        raise ValueError(f"status {record['status']!r}: expected one of {sorted(_STATUSES)}")
    for rule, scores in record["metrics"].items():
        _check_scores(scores, f"metrics.{rule}")
    _check_diagnostics(record)
    _check_selected(record)
    _check_chosen(record)
    _check_versions(record["metric_versions"])
    _check_relabelling(record)
    _check_corruption(record["corruption"])
    return record


def _check_types(value: JSON, fields: Mapping[str, tuple[type, ...]], where: str) -> None:
    for name, types in fields.items():
        # The exact type: True is an int to `isinstance`.
        if type(value.get(name, _ABSENT)) not in types:
            if name not in value:
                raise ValueError(f"{where}{name} is missing")
            expected = " or ".join(one.__name__ for one in types)
            raise ValueError(f"{where}{name}: expected {expected}, got {value[name]!r}"[:200])


def _check_scores(scores: Any, where: str) -> None:
    if type(scores) is not dict:
        raise ValueError(f"{where}: expected metrics by name, got {scores!r}"[:200])
    for name, score in scores.items():
        if type(score) is not dict or "value" not in score or "interval" not in score:
            raise ValueError(f"{where}.{name}: expected a value and an interval")
        low, high = BOUNDS.get(name, _UNBOUNDED)
        value, interval = score["value"], score["interval"]
        for each in value if type(value) is list else (value,):
            if type(each) is not float or not low <= each <= high:  # nearly all pass here
                _check_number(each, low, high, where, name)
        if interval is not None:
            if type(interval) is not list or len(interval) != 2 or None in interval:
                raise ValueError(f"{where}.{name}: expected an interval of two numbers")
            for end in interval:
                _check_number(end, *_UNBOUNDED, where, name)
    _check_average(scores, where)


def _check_average(scores: JSON, where: str) -> None:
    """Compare balanced accuracy with the recalls that it is the mean of."""
    average = scores.get("balanced_accuracy", {}).get("value")
    recalls = scores.get("recall_per_class", {}).get("value")
    if average is None:
        return
    if type(average) is list or type(recalls) is not list:
        raise ValueError(f"{where}: expected a balanced accuracy with the recall of each class")
    present = [recall for recall in recalls if recall is not None]
    if not present or abs(sum(present) / len(present) - average) > _AVERAGE_TOLERANCE:
        raise ValueError(
            f"{where}.balanced_accuracy: {average!r} is not the mean of the recalls {present!r}"
        )


def _check_diagnostics(record: JSON) -> None:
    """Check what a table reads beside the scores."""
    for name, value in record["grants"].items():
        if type(value) is not str:
            raise ValueError(f"grants.{name}: expected str, got {value!r}"[:200])
    for name, curve in record["curves"].items():
        if type(curve) is not list:
            raise ValueError(f"curves.{name}: expected a list, got {curve!r}"[:200])
        for value in curve:
            if type(value) is not float or not -_LARGEST <= value <= _LARGEST:
                _check_number(value, *_UNBOUNDED, "curves", name)
    for name in _COSTS:
        _check_number(record["cost"].get(name), 0.0, _LARGEST, "cost", name)
    reason = record["training"].get("unranked")
    if type(reason) not in (str, type(None)):
        raise ValueError(f"training.unranked: expected str, got {reason!r}"[:200])
    for name in ("auroc", "effective_sample_size"):
        _check_number(record["weights"].get(name), 0.0, 1.0, "weights", name)


def _check_selected(record: JSON) -> None:
    """Compare what each rule says of balanced accuracy with the checkpoints that it averages."""
    curve = record["curves"].get("test_balanced_accuracy", [])
    for rule, chosen in record["selected"].items():
        if type(chosen) is not list or not all(
            type(each) is int and 0 <= each < len(curve) for each in chosen
        ):
            raise ValueError(
                f"selected.{rule}: expected checkpoints of {len(curve)}, got {chosen!r}"
            )
        told = record["metrics"].get(rule, {}).get("balanced_accuracy", {}).get("value")
        scores = [curve[each] for each in chosen]
        if told is None or not scores or None in scores:
            raise ValueError(f"selected.{rule}: expected a balanced accuracy and its checkpoints")
        if abs(sum(scores) / len(scores) - told) > _CURVE_TOLERANCE:
            raise ValueError(
                f"metrics.{rule}.balanced_accuracy: {told!r} is not the mean of the checkpoints "
                f"{chosen!r} in curves.test_balanced_accuracy, {scores!r}"
            )


def _check_versions(versions: JSON) -> None:
    for name, version in versions.items():
        if type(version) is not str:
            raise ValueError(f"metric_versions.{name}: expected str, got {version!r}"[:200])


def _check_chosen(record: JSON) -> None:
    """Compare the scores of checkpoints chosen by other metrics with the curves of these."""
    for metric, rules in record["chosen"].items():
        curve = record["curves"].get(f"test_{metric}", [])
        if type(rules) is not dict:
            raise ValueError(f"chosen.{metric}: expected checkpoints by rule, got {rules!r}"[:200])
        for rule, index in rules.items():
            if type(index) is not int or not 0 <= index < len(curve):
                raise ValueError(
                    f"chosen.{metric}.{rule}: expected one of {len(curve)} checkpoints, "
                    f"got {index!r}"[:200]
                )
            told = record["metrics"].get(rule, {}).get(metric, {}).get("value")
            if told is None or curve[index] is None or abs(curve[index] - told) > _CURVE_TOLERANCE:
                raise ValueError(
                    f"metrics.{rule}.{metric}: {told!r} is not what curves.test_{metric} has at "
                    f"checkpoint {index}, {curve[index]!r}"
                )


def _check_relabelling(record: JSON) -> None:
    """Check the scores at each number of labels bought, and that areas and curves agree."""
    block = record.get("relabelling", {})  # older records have none
    if type(block) is not dict:
        raise ValueError(f"relabelling: expected a block of scores, got {block!r}"[:200])
    if bool(block) != ("labels_bought" in record["curves"]):
        raise ValueError("relabelling: expected it with a curve of labels_bought, and only there")
    if not block:
        return
    levels, areas = block.get("labels_bought"), block.get("area")
    if not _are_rising_counts(levels):
        raise ValueError(f"relabelling.labels_bought: expected rising counts, got {levels!r}"[:200])
    if type(areas) is not dict:
        raise ValueError(f"relabelling.area: expected an area by score, got {areas!r}"[:200])
    for name in SCORES:
        values, area = block.get(name), areas.get(name)
        if type(values) is not list or len(values) != len(levels) or None in values:
            raise ValueError(f"relabelling.{name}: expected a score for each of {levels!r}"[:200])
        for value in values:
            _check_number(value, 0.0, 1.0, "relabelling", name)
        _check_number(area, 0.0, 1.0, "relabelling.area", name)
        expected = mean_height(levels, values)
        if (area is None) != (expected is None) or abs((area or 0) - (expected or 0)) > _ROUNDING:
            raise ValueError(f"relabelling.area.{name}: {area!r} is not the area of the scores")
    _check_levels(levels, block[SCORES[0]], record)


def _check_levels(levels: list[int], scores: list[float], record: JSON) -> None:
    """Compare numbers of labels and balanced accuracies with what the record says of its run."""
    budget = record["spec"]["scenario"].get("label_budget")
    total = record["cost"].get("labels_bought")
    if type(budget) is not int or max(levels[-1], total or 0) > budget:
        raise ValueError(f"relabelling.labels_bought: {levels!r} with a budget of {budget!r}"[:200])
    names = ("labels_bought", "test_balanced_accuracy")
    counts, curve = (record["curves"].get(name, []) for name in names)
    finished = finished_models(counts)
    if [*finished] != levels or len(curve) != len(counts):
        raise ValueError(
            f"relabelling.labels_bought: {levels!r} are not the counts of curves.labels_bought, "
            f"{[*finished]!r}, at a checkpoint each"
        )
    for score, checkpoint in zip(scores, finished.values(), strict=True):
        known = curve[checkpoint]
        if known is None or abs(score - known) > _CURVE_TOLERANCE:
            raise ValueError(
                f"relabelling.{SCORES[0]}: {score!r} is not the score of checkpoint {checkpoint} "
                f"in curves.test_balanced_accuracy, {known!r}"
            )


def _are_rising_counts(levels: Any) -> TypeGuard[list[int]]:
    return (
        type(levels) is list
        and bool(levels)
        and all(type(level) is int and 0 <= level < 1 << 63 for level in levels)
        and all(level < following for level, following in pairwise(levels))
    )


def _check_corruption(corruption: JSON) -> None:
    if type(corruption.get("identifiable", True)) is not bool:
        raise ValueError("corruption.identifiable: expected true or false")
    _check_number(corruption.get("test_count"), 0, _LARGEST, "corruption", "test_count")
    for name in ("class_counts", "classes"):
        if type(corruption.get(name, [])) is not list:
            raise ValueError(f"corruption.{name}: expected a list")
    for count in corruption.get("class_counts", []):
        if type(count) is not int or count < 0:
            raise ValueError(f"corruption.class_counts: expected counts, got {count!r}"[:200])


def _check_number(value: Any, low: float, high: float, where: str, name: str) -> None:
    if value is None:
        return
    if type(value) not in {float, int} or not -_LARGEST <= value <= _LARGEST:
        raise ValueError(f"{where}.{name}: expected a finite number or null, got {value!r}"[:200])
    if not low - _ROUNDING <= value <= high + _ROUNDING:
        raise ValueError(f"{where}.{name}: expected {low:g} to {high:g}, got {value!r}")
