"""Computes the scores of a record again from its committed predictions, and compares.

What answers alone give must be equal to the last bit. What is computed from logits may differ by
rounding, for processors round exponentials differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON
from benchbase.judging import rules
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import Score as Value
from benchbase.judging.metrics import answer_scores, score
from benchbase.judging.relabelling import SCORES, describe_levels, finished_models
from benchbase.judging.scales import RANKABLE, SCALES
from benchbase.records.committed_predictions import Answers, Truth
from benchbase.records.following import used
from benchbase.records.record import Record, Score
from benchbase.records.rescoring import NOT_ASKED

ROUNDING = 1e-6
CURVE_ROUNDING = 5.1e-5
"""Committed curves keep four decimals."""

Scored = Mapping[int, Mapping[str, Value]]
"""Checkpoint -> its scores on the test images."""


def differences(
    record: Record, answers: Answers, truth: Truth, metrics: Sequence[Extra] = ()
) -> Iterator[str]:
    """Say what a record claims that its predictions do not give.

    ``metrics`` are those that the board sets up. Without logits of all checkpoints that a rule
    averages, only scores that need none are compared.
    """
    counts = [] if record.corruption is None else record.corruption.class_counts
    problem = _misfit(answers, truth, len(counts))
    if problem is not None:
        yield problem
        return
    checkpoints = answers.checkpoints.tolist()
    told = {
        *(index for at in record.selected.values() for index in at),
        *(index for at in record.chosen.values() for index in at.values()),
        *_levels(record).values(),
    }
    if not told <= {*checkpoints}:
        yield f"it uses the checkpoints {sorted(told)}, there are predictions of {checkpoints}"
        return
    known = _of_today(record, metrics)
    scores = {
        checkpoint: _scores(answers, column, truth.test, counts, known)
        for column, checkpoint in enumerate(checkpoints)
    }
    yield from _metrics(record, scores, np.bincount(truth.test, minlength=len(counts)))
    yield from _curves(record, scores, answers, truth, counts)
    yield from _relabelling(record, scores)


def recorded_only(record: Record, answers: Answers, metrics: Sequence[Extra] = ()) -> set[str]:
    """Name the metrics that these predictions do not give under some rule that has them."""
    with_logits = {*answers.checkpoints[-len(answers.logits) :].tolist()}
    known = {*SCALES, "recall_per_class"} - record.metric_versions.keys()
    known |= {one.name for one in _of_today(record, metrics)}
    return {
        name
        for rule, told in record.metrics.items()
        for name in told
        if name not in known
        or (
            name in SCALES
            and SCALES[name].needs_logits
            and not {*used(record, rule, name)} <= with_logits
        )
    }


def _of_today(record: Record, metrics: Sequence[Extra]) -> list[Extra]:
    """Keep the metrics that the record has in their present version."""
    return [one for one in metrics if record.metric_versions.get(one.name) == one.version]


def _misfit(answers: Answers, truth: Truth, classes: int) -> str | None:
    """Say what keeps answers and labels from being compared at all."""
    if len(answers.test) != len(truth.test) or len(answers.validation) != len(truth.validation):
        return "its predictions are not of as many images as there are labels"
    if answers.logits.shape[1:] != (len(truth.test), classes):
        return f"its logits are not of {len(truth.test)} test images and {classes} classes"
    labels = (truth.test, truth.validation, truth.validation_true)
    if any(each.max(initial=0) >= classes for each in (answers.test, answers.validation, *labels)):
        return f"its predictions or labels name other classes than the {classes} of the record"
    if not np.array_equal(answers.logits.argmax(axis=2).T, answers.test[:, -len(answers.logits) :]):
        return "its answers are not those of its logits"
    return None


def _scores(
    answers: Answers,
    column: int,
    labels: NDArray[np.uint8],
    counts: Sequence[int],
    metrics: Sequence[Extra],
) -> dict[str, Value]:
    whole = labels.astype(np.int64)
    logits = answers.logits_at(column)
    if logits is not None:
        given = {one.name: one.score(logits, whole) for one in metrics}
        return {**score(logits, whole, counts), **given}
    told = answers.test[:, column]
    as_logits = np.eye(len(counts))[told]
    given = {
        one.name: one.score(as_logits, whole)
        for one in metrics
        if not SCALES[one.name].needs_logits
    }
    return {**answer_scores(told.astype(np.int64), whole, counts), **given}


def _metrics(record: Record, scores: Scored, test_counts: NDArray[np.int64]) -> Iterator[str]:
    for rule in sorted(record.metrics.keys() - record.selected.keys()):
        yield f"metrics.{rule}: of which checkpoints is not told (selected.{rule})"
    for rule, told in record.metrics.items():
        for name, block in _expected(record, rule, scores, test_counts).items():
            expected, claimed = msgspec.convert(block, Score), told.get(name)
            if claimed is not None and claimed.value is None and claimed.reason == NOT_ASKED.reason:
                continue
            if not _agree(claimed, expected, name):
                yield _told(f"metrics.{rule}.{name}", claimed, expected)


def _expected(record: Record, rule: str, scores: Scored, test_counts: NDArray[np.int64]) -> JSON:
    at = record.selected.get(rule, [])
    if not at:
        return {}
    shared = set.intersection(*({*scores[index]} for index in at))
    blocks = rules.average(
        [{name: scores[each][name] for name in shared} for each in at], test_counts
    )
    for name, chosen in record.chosen.items():
        if rule in chosen:
            blocks.pop(name, None)
            if name in scores[chosen[rule]]:
                blocks[name] = rules.mean([scores[chosen[rule]][name]])
    return blocks


def _agree(claimed: Score | None, expected: Score, name: str) -> bool:
    rounded = name in SCALES and SCALES[name].needs_logits
    if rounded and claimed is not None:
        one, other = claimed.value, expected.value
        if isinstance(one, float) and isinstance(other, float):
            return abs(one - other) <= ROUNDING
    return claimed == expected


def _curves(
    record: Record, scores: Scored, answers: Answers, truth: Truth, counts: Sequence[int]
) -> Iterator[str]:
    for column, (checkpoint, found) in enumerate(scores.items()):
        drawn: dict[str, Any] = {f"test_{name}": found[name] for name in RANKABLE if name in found}
        for part, labels in (("noisy", truth.validation), ("clean", truth.validation_true)):
            judged = answer_scores(
                answers.validation[:, column].astype(np.int64), labels.astype(np.int64), counts
            )
            drawn[f"validation_{part}_balanced_accuracy"] = judged["balanced_accuracy"]
        for name, value in drawn.items():
            curve = record.curves.get(name)
            if curve is None or not isinstance(value, float):
                continue
            claimed = curve[checkpoint] if checkpoint < len(curve) else None
            if claimed is None or abs(claimed - value) > CURVE_ROUNDING:
                yield _told(f"curves.{name}[{checkpoint}]", claimed, value)


def _levels(record: Record) -> dict[float, int]:
    bought = record.curves.get("labels_bought", [])
    return finished_models([count for count in bought if count is not None])


def _relabelling(record: Record, scores: Scored) -> Iterator[str]:
    if record.relabelling is None:
        return
    levels = _levels(record)
    expected = describe_levels([*levels], [scores[index] for index in levels.values()])
    for name in SCORES:
        claimed = getattr(record.relabelling, name)
        if claimed != expected[name]:
            yield _told(f"relabelling.{name}", claimed, expected[name])


def _told(where: str, claimed: Any, expected: Any) -> str:
    values = (each.value if isinstance(each, Score) else each for each in (claimed, expected))
    return "{}: the record says {}, its predictions give {}".format(where, *values)
