"""Checks that a record may stand in a table: what its fields say of each other must agree.

Whoever reads records, from the home or from git, reads them here. Types are checked by the shape
(``record``); the checks here are plain Python on plain values, so that ten thousand records take
well under a second.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from benchbase.judging.relabelling import SCORES, finished_models, mean_height
from benchbase.judging.scales import SCALES
from benchbase.records.decoding import decode_record
from benchbase.records.record import Record, Relabelling, Score

BOUNDS: Mapping[str, tuple[float, float]] = {
    **{name: (scale.low, scale.high) for name, scale in SCALES.items()},
    "recall_per_class": (0.0, 1.0),
}
"""Smallest and largest value of each of benchbase's own metrics."""

_ATTEMPT = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{8}")
_LARGEST = 1e300
_UNBOUNDED = (-_LARGEST, _LARGEST)
_AVERAGE_TOLERANCE = 1e-5
_CURVE_TOLERANCE = 1e-4
"""Committed curves are rounded."""
_ROUNDING = 1e-6

_COSTS = ("seconds_train", "seconds_judge", "seconds_total", "peak_memory_bytes", "labels_bought")
_COSTS_OF = operator.attrgetter(*_COSTS)


def parse_record(text: str | bytes) -> Record:
    """Read one record.

    Raises:
        ValueError: it is not JSON, not a record, or says what cannot be; the message says where.
    """
    record = decode_record(text)
    check_record(record)
    return record


def check_record(record: Record) -> None:
    """Compare the fields of a record with each other.

    Raises:
        ValueError: they contradict each other; the message says which.
    """
    if not _ATTEMPT.fullmatch(record.attempt):
        raise ValueError(f"attempt {record.attempt!r} is not the name of an attempt")
    for rule, scores in record.metrics.items():
        for name, score in scores.items():
            value = score.value
            if type(value) is float and 0.0 <= value <= 1.0 and score.interval is None:
                continue  # nearly all pass here: every score may be from 0 to 1
            _check_score(score, rule, name)
        _check_average(scores, rule)
    _check_diagnostics(record)
    _check_selected(record)
    _check_chosen(record)
    _check_relabelling(record)
    if record.corruption is not None:
        _check_numbers(record.corruption.class_counts, 0, _LARGEST, "corruption.class_counts")
        _check_number(record.corruption.test_count, 0, _LARGEST, "corruption.test_count")


def _check_score(score: Score, rule: str, name: str) -> None:
    value, interval = score.value, score.interval
    if value is None:
        if score.reason is None:
            raise ValueError(f"metrics.{rule}.{name}: null without a reason")
    else:
        low, high = BOUNDS.get(name, _UNBOUNDED)
        for one in value if isinstance(value, list) else (value,):
            if one is not None and not low <= one <= high:
                _check_number(one, low, high, "metrics", rule, name)
        if score.reason is not None:
            raise ValueError(f"metrics.{rule}.{name}: a value, and a reason why there is none")
    if interval is not None:
        for end in interval:
            if not -_LARGEST <= end <= _LARGEST:
                _check_number(end, *_UNBOUNDED, "metrics", rule, name)


def _check_average(scores: Mapping[str, Score], rule: str) -> None:
    """Compare balanced accuracy with the recalls that it is the mean of."""
    score, recalls = scores.get("balanced_accuracy"), scores.get("recall_per_class")
    if score is None or type(average := score.value) is not float:
        return
    if recalls is None or type(recalls.value) is not list:
        raise ValueError(
            f"metrics.{rule}: expected a balanced accuracy with the recall of each class"
        )
    present = [recall for recall in recalls.value if recall is not None]
    if not present or abs(sum(present) / len(present) - average) > _AVERAGE_TOLERANCE:
        raise ValueError(
            f"metrics.{rule}.balanced_accuracy: {average!r} is not the mean of the recalls "
            f"{present!r}"
        )


def _check_diagnostics(record: Record) -> None:
    """Check what a table reads beside the scores."""
    for name, curve in record.curves.items():
        _check_numbers(curve, *_UNBOUNDED, "curves", name)
    for name, value in zip(_COSTS, _COSTS_OF(record.cost), strict=True):
        if value is not None and not 0.0 <= value <= _LARGEST:
            _check_number(value, 0.0, _LARGEST, "cost", name)
    if record.weights is not None:
        for name in ("auroc", "effective_sample_size"):
            _check_number(getattr(record.weights, name), 0.0, 1.0, "weights", name)


def _check_selected(record: Record) -> None:
    """Compare what each rule says of balanced accuracy with the checkpoints that it averages."""
    curve = record.curves.get("test_balanced_accuracy", [])
    for rule, chosen in record.selected.items():
        known = [curve[each] for each in chosen if 0 <= each < len(curve)]
        if len(known) < len(chosen):
            raise ValueError(
                f"selected.{rule}: expected checkpoints of {len(curve)}, got {chosen!r}"
            )
        told = _value(record.metrics.get(rule, {}), "balanced_accuracy")
        scores = [score for score in known if score is not None]
        if told is None or not scores or len(scores) < len(chosen):
            raise ValueError(f"selected.{rule}: expected a balanced accuracy and its checkpoints")
        if abs(sum(scores) / len(scores) - told) > _CURVE_TOLERANCE:
            raise ValueError(
                f"metrics.{rule}.balanced_accuracy: {told!r} is not the mean of the checkpoints "
                f"{chosen!r} in curves.test_balanced_accuracy, {scores!r}"
            )


def _check_chosen(record: Record) -> None:
    """Compare the scores of checkpoints chosen by other metrics with the curves of these."""
    for metric, rules in record.chosen.items():
        curve = record.curves.get(f"test_{metric}", [])
        for rule, index in rules.items():
            if not 0 <= index < len(curve):
                raise ValueError(
                    f"chosen.{metric}.{rule}: expected one of {len(curve)} checkpoints, "
                    f"got {index!r}"
                )
            told, known = _value(record.metrics.get(rule, {}), metric), curve[index]
            if told is None or known is None or abs(known - told) > _CURVE_TOLERANCE:
                raise ValueError(
                    f"metrics.{rule}.{metric}: {told!r} is not what curves.test_{metric} has at "
                    f"checkpoint {index}, {known!r}"
                )


def _check_relabelling(record: Record) -> None:
    """Check the scores at each number of labels bought, and that areas and curves agree."""
    block = record.relabelling
    if (block is not None) != ("labels_bought" in record.curves):
        raise ValueError("relabelling: expected it with a curve of labels_bought, and only there")
    if block is None:
        return
    levels = block.labels_bought
    if not levels or levels[0] < 0 or not all(low < high for low, high in pairwise(levels)):
        raise ValueError(f"relabelling.labels_bought: expected rising counts, got {levels!r}"[:200])
    for name in SCORES:
        values: list[float] = getattr(block, name)
        if len(values) != len(levels):
            raise ValueError(f"relabelling.{name}: expected a score for each of {levels!r}"[:200])
        _check_numbers(values, 0.0, 1.0, "relabelling", name)
        expected, area = mean_height(levels, values), block.area.get(name)
        if (area is None) != (expected is None) or abs((area or 0) - (expected or 0)) > _ROUNDING:
            raise ValueError(f"relabelling.area.{name}: {area!r} is not the area of the scores")
    _check_levels(block, record)


def _check_levels(block: Relabelling, record: Record) -> None:
    """Compare numbers of labels and balanced accuracies with what the record says of its run."""
    levels, budget = block.labels_bought, record.spec.scenario.label_budget
    if budget is None or max(levels[-1], record.cost.labels_bought) > budget:
        raise ValueError(f"relabelling.labels_bought: {levels!r} with a budget of {budget!r}"[:200])
    names = ("labels_bought", "test_balanced_accuracy")
    counts, curve = (record.curves.get(name, []) for name in names)
    finished = finished_models([count for count in counts if count is not None])
    if [*finished] != levels or len(curve) != len(counts):
        raise ValueError(
            f"relabelling.labels_bought: {levels!r} are not the counts of curves.labels_bought, "
            f"{[*finished]!r}, at a checkpoint each"
        )
    for score, checkpoint in zip(block.balanced_accuracy, finished.values(), strict=True):
        known = curve[checkpoint]
        if known is None or abs(score - known) > _CURVE_TOLERANCE:
            raise ValueError(
                f"relabelling.{SCORES[0]}: {score!r} is not the score of checkpoint {checkpoint} "
                f"in curves.test_balanced_accuracy, {known!r}"
            )


def _value(scores: Mapping[str, Score], name: str) -> float | None:
    score = scores.get(name)
    return score.value if score is not None and type(score.value) is float else None


def _check_numbers(values: Iterable[float | None], low: float, high: float, *where: str) -> None:
    for value in values:
        if value is not None and not low <= value <= high:
            _check_number(value, low, high, *where)


def _check_number(value: float | None, low: float, high: float, *where: str) -> None:
    if value is not None and not low - _ROUNDING <= value <= high + _ROUNDING:
        raise ValueError(f"{'.'.join(where)}: expected {low:g} to {high:g}, got {value!r}")
