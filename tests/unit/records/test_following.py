"""What a forger may alter in a record, field by field, and that it is told."""

from __future__ import annotations

import msgspec
import pytest

from benchbase.records.committed import slim
from benchbase.records.following import contradictions
from tests.unit.judged_records import CHECKPOINTS, judged_record
from tests.unit.made_records import NOISY, PROVENANCE, changed, make_record, make_scenario


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def record(home):
    return slim(judged_record(home, scenario=NOISY))


def told(record):
    return [*contradictions(record)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"buys": True, "scenario": make_scenario(label_budget=40)},
        {"grants": {"truth": "all labels", "trusted": "clean", "unlabelled": "empty"}},
    ],
)
def test_an_honest_record_contradicts_nothing(home, fields):
    assert told(slim(judged_record(home, **fields))) == []


def test_a_failed_record_needs_neither_training_nor_grants():
    assert told(make_record(status="error", grants={"truth": ""}, corruption=None)) == []


UPDATES = [*range(1, CHECKPOINTS + 1)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"steps_allowed": 20}, "training.steps_allowed: the record says 20, its other fields"),
        ({"updates": [11]}, "a network was updated 11 times, the recipe has 10 steps"),
        ({"checkpoint_updates": [*UPDATES[:-1], 11]}, "a network was updated 11 times"),
        ({"updates": [0], "checkpoint_updates": [0] * 10}, "no update of a network"),
        ({"network_difference": "head: other"}, "Need.OWN_NETWORK is not declared (head: other)"),
        ({"checkpoint_updates": UPDATES[::-1]}, "fall 9 times from checkpoint to checkpoint"),
        ({"checkpoint_updates": [*UPDATES[:-2], 10, 9]}, "fall 1 times"),
        ({"checkpoint_updates": [*UPDATES[:-2], 8, 10]}, "no checkpoint in epoch 9 of 10"),
        ({"checkpoint_updates": UPDATES[:-1]}, "9 checkpoints"),
        ({"checkpoint_updates": []}, "expected one of each checkpoint"),
        ({"updates": [-1, 10]}, "updates below zero"),
    ],
)
def test_counts_that_would_cost_the_rank_and_are_not_said_to_are_told(record, fields, reason):
    assert any(reason in each for each in told(changed(record, "training", **fields)))


def test_a_verdict_that_is_there_needs_no_reason_of_its_own(record):
    many = changed(record, "training", updates=[11], unranked="updated too often")
    assert told(many) == []


@pytest.mark.parametrize("block", ["training", "corruption"])
def test_a_record_that_leaves_a_block_out_escapes_nothing(record, block):
    assert told(msgspec.structs.replace(record, **{block: None})) == [
        "training and corruption: expected both of a cell that is ok"
    ]


@pytest.mark.parametrize(("rule", "at"), [("tail", [9]), ("last", [8]), ("last5", [9])])
def test_the_checkpoints_of_a_rule_are_those_that_it_takes(record, rule, at):
    record.selected[rule] = at
    [problem] = told(record)
    assert problem.startswith(f"selected.{rule}: the record says {at}, its other fields give [")


@pytest.mark.parametrize(("rule", "curve"), [("val_noisy", "validation_noisy"), ("oracle", "test")])
def test_a_rule_that_chooses_has_chosen_the_best_checkpoint(record, rule, curve):
    heights = record.curves[f"{curve}_balanced_accuracy"]
    other = heights.index(min(heights))
    record.selected[rule] = [other]
    assert told(record) == [
        f"{rule}: checkpoint {other} is not the best one of curves.{curve}_balanced_accuracy"
    ]


def test_a_checkpoint_chosen_by_another_metric_is_the_best_one_by_it(record):
    heights = record.curves["test_macro_f1"]
    record.chosen["macro_f1"]["oracle"] = other = heights.index(min(heights))
    assert told(record) == [
        f"oracle: checkpoint {other} is not the best one of curves.test_macro_f1"
    ]


def test_a_best_checkpoint_needs_the_curve_that_it_is_best_on(record):
    del record.curves["validation_noisy_balanced_accuracy"]
    [problem] = told(record)
    assert problem.startswith("val_noisy: there is no curves.validation_noisy_balanced_accuracy")


def test_a_curve_has_a_value_a_checkpoint(record):
    record.curves["loss"] = [0.5]
    assert told(record) == ["curves.loss: 1 values, and 10 checkpoints"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"class_counts": [38, 1, 1]}, "corruption."),
        ({"class_counts": [40]}, "corruption.class_counts: 1 values, and 3 classes"),
        ({"observed_counts": [0, 20, 20]}, "corruption.observed_counts[0]: the record says 0"),
        ({"realised_rate": 0.0}, "corruption.realised_rate: the record says 0.0, its other"),
        ({"rate_per_class": [0.0, 0.0, 0.0]}, "corruption.rate_per_class[0]: the record says 0.0"),
        ({"transition": [[1.0]] * 3}, "corruption.transition: expected 3 values a row"),
        ({"trusted_count": 3}, "corruption.trusted_count: the record says 3, its other"),
        ({"unlabelled_count": 100}, "training.steps_allowed: the record says 10, its other"),
    ],
)
def test_counts_of_labels_that_do_not_fit_together_are_told(record, fields, reason):
    assert told(changed(record, "corruption", **fields))[0].startswith(reason)


@pytest.mark.parametrize(
    ("grants", "reason"),
    [
        ({"trusted": "noisy"}, "grants.trusted: 'noisy', where its scenario gives 'clean'"),
        ({"unlabelled": "images"}, "grants.unlabelled: 'images', where its scenario gives 'empty'"),
        ({"oracle": "100 labels"}, "grants.oracle: '100 labels', where its scenario gives '0 lab"),
        ({"truth": ""}, "grants.truth: '', where its scenario gives 'all labels'"),
        ({"nothing": "at all"}, "grants: there is no need 'nothing'"),
    ],
)
def test_grants_that_the_scenario_does_not_give_are_told(record, grants, reason):
    [problem] = told(msgspec.structs.replace(record, grants=grants))
    assert problem.startswith(reason)


def test_labels_that_were_bought_are_no_fewer_than_the_curve_says_and_no_more_than_for_sale(home):
    buying = judged_record(home, buys=True, scenario=make_scenario(label_budget=40))
    assert told(changed(buying, "cost", labels_bought=3)) == [
        "cost.labels_bought: 3, and 15 in curves.labels_bought"
    ]
    assert told(changed(buying, "cost", labels_bought=41)) == [
        "cost.labels_bought: 41, with 40 for sale"
    ]


def test_defaults_do_not_hide_an_option_that_was_set(home):
    hiding = judged_record(home, options={"gamma": 5.0}, defaults={"gamma": 5.0})
    assert told(hiding) == ["defaults: gamma of its key would be no option that was set"]


def test_numerics_and_protocol_are_those_of_the_key(record):
    other = msgspec.structs.replace(record.numerics, precision="bfloat16")
    [problem] = told(msgspec.structs.replace(record, numerics=other))
    assert problem.startswith("numerics: the record says bfloat16-deterministic, its other fields")
    older = msgspec.structs.replace(record.spec, protocol="benchbase-v0")
    [problem] = told(msgspec.structs.replace(record, spec=older))
    assert problem.startswith("spec.protocol: the record says benchbase-v0")


def test_what_runs_in_one_process_is_not_trusted(record):
    inline = msgspec.structs.replace(PROVENANCE, executor="inline")
    assert told(msgspec.structs.replace(record, provenance=inline)) == [
        "trusted: what runs in one process (executor inline) is not"
    ]
