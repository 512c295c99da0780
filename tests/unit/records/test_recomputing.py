from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from benchbase.judging.clinical import board_metrics
from benchbase.records.committed import slim
from benchbase.records.committed_predictions import Answers, Truth
from benchbase.records.predictions import read_predictions
from benchbase.records.recomputing import differences, recorded_only
from benchbase.records.record import Score
from benchbase.records.rescoring import NOT_ASKED
from tests.unit.judged_records import judged_record
from tests.unit.made_records import make_scenario

TWO_CLASSES = {
    "classes": 2,
    "metrics": board_metrics("sensitivity", {"costs": [[0, 1], [5, 0]]}),
}
BUYING = {"buys": True, "scenario": make_scenario(label_budget=40)}


def judged(home, *, all_logits=False, **fields):
    """Give a record as it is committed, and what it is computed from."""
    record = judged_record(home, **fields)
    kept = read_predictions(record, home)
    return slim(record), Answers.of(kept, all_logits=all_logits), Truth.of(kept)


def claimed(record, rule, name, value):
    """Let a record claim another score."""
    score = msgspec.structs.replace(record.metrics[rule][name], value=value)
    metrics = {**record.metrics, rule: {**record.metrics[rule], name: score}}
    return msgspec.structs.replace(record, metrics=metrics)


@pytest.mark.parametrize("fields", [{}, TWO_CLASSES, BUYING], ids=["plain", "clinical", "buying"])
@pytest.mark.parametrize("all_logits", [False, True])
def test_an_honest_record_is_what_its_predictions_give(tmp_path, fields, all_logits):
    record, answers, truth = judged(tmp_path, all_logits=all_logits, **fields)
    assert [*differences(record, answers, truth, fields.get("metrics", ()))] == []


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("tail", "balanced_accuracy"),
        ("val_noisy", "accuracy"),
        ("oracle", "macro_f1"),
        ("last5", "mcc"),
        ("val_clean", "rarest_recall"),
        ("last", "macro_auroc"),
        ("last", "ece"),
    ],
)
def test_a_claimed_score_is_told_from_the_computed_one(tmp_path, rule, name):
    record, answers, truth = judged(tmp_path)
    higher = claimed(record, rule, name, record.metrics[rule][name].value + 2e-6)
    [told] = differences(higher, answers, truth)
    assert told.startswith(f"metrics.{rule}.{name}: the record says 0.")


def test_answers_give_their_scores_to_the_last_bit(tmp_path):
    record, answers, truth = judged(tmp_path)
    value = record.metrics["tail"]["balanced_accuracy"].value
    [told] = differences(
        claimed(record, "tail", "balanced_accuracy", float(np.nextafter(value, 1))), answers, truth
    )
    assert "metrics.tail.balanced_accuracy" in told


@pytest.mark.parametrize("name", ["macro_auroc", "sensitivity"])
def test_scores_of_all_rules_are_compared_where_there_are_all_logits(tmp_path, name):
    record, answers, truth = judged(tmp_path, all_logits=True, **TWO_CLASSES)
    forged = claimed(record, "tail", name, 0.99)
    assert len([*differences(forged, answers, truth, TWO_CLASSES["metrics"])]) == 1
    few = replace(answers, logits=answers.logits[-1:])
    assert [*differences(forged, few, truth, TWO_CLASSES["metrics"])] == []


def test_costs_need_no_logits(tmp_path):
    record, answers, truth = judged(tmp_path, **TWO_CLASSES)
    forged = claimed(record, "tail", "cost_avoided", 0.99)
    [told] = differences(forged, answers, truth, TWO_CLASSES["metrics"])
    assert "metrics.tail.cost_avoided" in told
    older = msgspec.structs.replace(forged, metric_versions={"cost_avoided": "0"})
    assert [*differences(older, answers, truth, TWO_CLASSES["metrics"])] == []


def test_no_score_is_free_because_it_gives_a_reason(tmp_path):
    record, answers, truth = judged(tmp_path)
    free = Score(value=0.99, reason=NOT_ASKED.reason)
    record.metrics["tail"]["accuracy"] = free
    [told] = differences(record, answers, truth)
    assert told.startswith("metrics.tail.accuracy: the record says ")


def test_a_rule_whose_checkpoints_are_not_told_is_told(tmp_path):
    record, answers, truth = judged(tmp_path)
    del record.selected["val_noisy"]
    assert "metrics.val_noisy: of which checkpoints is not told (selected.val_noisy)" in [
        *differences(record, answers, truth)
    ]


def test_an_interval_and_a_reason_are_compared_too(tmp_path):
    record, answers, truth = judged(tmp_path)
    score = record.metrics["tail"]["balanced_accuracy"]
    narrow = Score(value=score.value, interval=[score.value, score.value])
    record.metrics["tail"]["balanced_accuracy"] = narrow
    record.metrics["tail"]["accuracy"] = Score(value=None, reason="lost")
    told = [*differences(record, answers, truth)]
    assert [each.partition(":")[0] for each in sorted(told)] == [
        "metrics.tail.accuracy",
        "metrics.tail.balanced_accuracy",
    ]


@pytest.mark.parametrize("name", ["test_accuracy", "validation_noisy_balanced_accuracy"])
def test_curves_are_compared_at_the_checkpoints_that_are_known(tmp_path, name):
    record, answers, truth = judged(tmp_path)
    record.curves[name][-1] += 0.001
    [told] = differences(record, answers, truth)
    assert told.startswith(f"curves.{name}[9]: ")


def test_scores_at_each_number_of_labels_bought_are_compared(tmp_path):
    record, answers, truth = judged(tmp_path, **BUYING)
    record.relabelling.macro_f1[0] += 0.001
    [told] = differences(record, answers, truth)
    assert told.startswith("relabelling.macro_f1: ")


def test_what_predictions_do_not_give_is_named(tmp_path):
    record, answers, _ = judged(tmp_path, **TWO_CLASSES)
    metrics = TWO_CLASSES["metrics"]
    under_tail = {"macro_auroc", "macro_auprc", "brier", "ece", "sensitivity"}
    assert recorded_only(record, answers, metrics) == under_tail
    assert recorded_only(record, answers) == under_tail | {"expected_cost", "cost_avoided"}
    _, whole, _ = judged(tmp_path / "all", all_logits=True, **TWO_CLASSES)
    assert recorded_only(record, whole, metrics) == set()


def flipped(labels):
    return labels[::-1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda a, t: (replace(a, logits=-a.logits), t), "answers are not those of its logits"),
        (lambda a, t: (replace(a, test=a.test[:-1]), t), "not of as many images"),
        (lambda a, t: (replace(a, logits=a.logits[:, :, :2]), t), "and 3 classes"),
        (lambda a, t: (replace(a, validation=a.validation + 3), t), "name other classes"),
        (lambda a, t: (replace(a, checkpoints=a.checkpoints + 1), t), "it uses the checkpoints"),
        (lambda a, t: (a, replace(t, test=flipped(t.test))), "metrics."),
    ],
)
def test_predictions_that_are_not_the_record_s_are_told(tmp_path, change, problem):
    record, answers, truth = judged(tmp_path)
    told = [*differences(record, *change(answers, truth))]
    assert problem in told[0]
