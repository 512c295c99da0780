from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable

import pytest

from benchbase.cell import JSON, canonical_json, content_hash
from benchbase.records.record import SCHEMA, parse_record
from benchbase.records.store import new_attempt
from tests.unit.made_records import make_record, make_relabelling, make_scenario


def test_records_of_every_status_are_read_as_they_were_written():
    for status in ("ok", "error", "oom", "timeout", "killed", "diverged"):
        record = make_record(status=status, attempt=new_attempt(), auroc=0.7)
        assert parse_record(canonical_json(record)) == record


def balanced(record: JSON) -> JSON:
    found: JSON = record["metrics"]["tail"]["balanced_accuracy"]
    return found


PROBLEMS: dict[str, Callable[[JSON], object]] = {
    "key is not the hash of its spec": lambda r: r.update(key="0" * 64),
    "not the name of an attempt": lambda r: r.update(attempt="1"),
    "status 'fine'": lambda r: r.update(status="fine"),
    "cost is missing": lambda r: r.pop("cost"),
    "trusted: expected bool, got 1": lambda r: r.update(trusted=1),
    "reason: expected str or NoneType": lambda r: r.update(reason=3),
    "metrics.tail: expected metrics by name": lambda r: r["metrics"].update(tail=[]),
    "metrics.tail.mcc: expected a value": lambda r: r["metrics"]["tail"].update(mcc=0.5),
    "metrics.last.mcc: expected -1 to 1": lambda r: r["metrics"]["last"]["mcc"].update(value=-1.5),
    "last.brier: expected 0 to 2": lambda r: r["metrics"]["last"]["brier"].update(value=2.5),
    "tail.balanced_accuracy: expected 0 to 1": lambda r: balanced(r).update(value=1.2),
    "finite number or null, got True": lambda r: balanced(r).update(value=True),
    "finite number or null, got '1'": lambda r: balanced(r).update(value="1"),
    "0.81 is not the mean of the recalls": lambda r: balanced(r).update(value=0.81),
    "with the recall of each class": lambda r: r["metrics"]["tail"].pop("recall_per_class"),
    "an interval of two numbers": lambda r: balanced(r).update(interval=[0.5]),
    "grants.truth: expected str": lambda r: r["grants"].update(truth=True),
    "curves.loss: expected a finite": lambda r: r["curves"].update(loss=["low"]),
    "curves.loss: expected a list": lambda r: r["curves"].update(loss=3.0),
    "cost.seconds_train: expected 0 to": lambda r: r["cost"].update(seconds_train=-1.0),
    "weights.auroc: expected 0 to 1": lambda r: r["weights"].update(auroc=7.0),
    "identifiable: expected true or false": lambda r: r["corruption"].update(identifiable="no"),
    "class_counts: expected counts": lambda r: r["corruption"].update(class_counts=[1.5]),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_record_cannot_say_is_refused_and_named(problem):
    record = make_record()
    PROBLEMS[problem](record)
    with pytest.raises(ValueError, match="(?i)" + problem.replace("[", r"\[")):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("part", ["weighter", "scenario", "data", "seed"])
def test_a_spec_that_lacks_a_part_is_refused_even_with_its_own_hash(part):
    record = make_record()
    del record["spec"][part]
    record["key"] = content_hash(record["spec"])
    with pytest.raises(ValueError, match=f"spec.{part} is missing"):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(number):
    text = canonical_json(make_record(seconds=12345.0)).replace("12345.0", number)
    with pytest.raises(ValueError, match=r"no number that a record|finite number"):
        parse_record(text)


def test_single_precision_is_no_contradiction():
    record = make_record()
    balanced(record)["value"] += 5e-6
    assert parse_record(canonical_json(record)) == record


FOR_SALE = make_scenario(label_budget=10)
SELECTED: dict[str, Callable[[JSON], object]] = {
    "selected.last: expected checkpoints of 3": lambda r: r["selected"].update(last=[3]),
    "got [-1]": lambda r: r["selected"].update(last=[-1]),
    "got 'all'": lambda r: r["selected"].update(last="all"),
    "selected.last: expected a balanced accuracy": lambda r: r["selected"].update(last=[]),
    "selected.best: expected a balanced accuracy": lambda r: r["selected"].update(best=[0]),
    "0.8 is not the mean of the checkpoints [1, 2]": lambda r: r["selected"].update(tail=[1, 2]),
    "metrics.tail.balanced_accuracy: 0.8 is not": lambda r: r["curves"].update(
        test_balanced_accuracy=[0.6, 0.7, 0.7]
    ),
}


CHOSEN: dict[str, Callable[[JSON], object]] = {
    "chosen.macro_auroc: expected checkpoints by rule": lambda r: r["chosen"].update(
        macro_auroc=[1]
    ),
    "chosen.macro_auroc.oracle: expected one of 3 checkpoints, got 3": lambda r: r["chosen"].update(
        macro_auroc={"oracle": 3}
    ),
    "got True": lambda r: r["chosen"].update(macro_auroc={"oracle": True}),
    "0.8 is not what curves.test_macro_auroc has at checkpoint 1, 0.7": lambda r: r[
        "chosen"
    ].update(macro_auroc={"oracle": 1}),
    "expected one of 0 checkpoints": lambda r: r["curves"].pop("test_macro_auroc"),
}


@pytest.mark.parametrize("problem", CHOSEN)
def test_a_checkpoint_chosen_by_another_metric_must_have_its_score(problem):
    record = make_record(score=0.8)
    record["chosen"] = {"macro_auroc": {"oracle": 2}}
    record["curves"]["test_macro_auroc"] = [0.9, 0.7, 0.8]
    assert parse_record(json.dumps(record)) == record
    CHOSEN[problem](record)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("problem", SELECTED)
def test_a_score_that_the_curve_contradicts_is_refused(problem):
    record = make_record(score=0.8)
    SELECTED[problem](record)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


RELABELLING: dict[str, Callable[[JSON], object]] = {
    "labels_bought: expected rising counts": lambda block: block.update(labels_bought=[0, 5, 5]),
    "rising counts, got [0, 5.0, 9]": lambda block: block.update(labels_bought=[0, 5.0, 9]),
    "rising counts, got [-1, 5, 9]": lambda block: block.update(labels_bought=[-1, 5, 9]),
    "rising counts, got []": lambda block: block.update(labels_bought=[]),
    "rising counts, got None": lambda block: block.pop("labels_bought"),
    "accuracy: expected a score for each of [0, 5, 10]": lambda block: block["accuracy"].pop(),
    "macro_f1: expected a score": lambda block: block.update(macro_f1=[0.5, None, 0.7]),
    "relabelling.macro_f1: expected 0 to 1": lambda block: block.update(macro_f1=[0.5, 1.6, 0.7]),
    "area: expected an area by score": lambda block: block.update(area=0.6),
    "area.balanced_accuracy: 0.8 is not the area": lambda block: block["area"].update(
        balanced_accuracy=0.8
    ),
    "area.accuracy: None is not the area": lambda block: block["area"].update(accuracy=None),
}
BOUGHT = make_relabelling({0: 0.5, 5: 0.6, 10: 0.7})


@pytest.mark.parametrize("problem", RELABELLING)
def test_scores_against_labels_that_contradict_themselves_are_refused(problem):
    record = make_record(scenario=FOR_SALE, relabelling=copy.deepcopy(BOUGHT))
    RELABELLING[problem](record["relabelling"])
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


def test_more_labels_in_all_than_were_for_sale_are_refused():
    record = make_record(scenario=FOR_SALE, relabelling=BOUGHT)
    record["cost"]["labels_bought"] = 11
    with pytest.raises(ValueError, match="with a budget of 10"):
        parse_record(json.dumps(record))


def test_a_curve_of_labels_without_scores_is_refused():
    record = make_record(scenario=FOR_SALE, relabelling=BOUGHT)
    record["relabelling"] = {}
    with pytest.raises(ValueError, match="expected it with a curve of labels_bought"):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("budget", [9, None])
def test_more_labels_than_were_for_sale_are_refused(budget):
    record = make_record(scenario=make_scenario(label_budget=budget), relabelling=BOUGHT)
    with pytest.raises(ValueError, match=re.escape(f"[0, 5, 10] with a budget of {budget}")):
        parse_record(json.dumps(record))


@pytest.mark.parametrize(
    ("curves", "problem"),
    [
        ({"labels_bought": [0.0, 5.0, 5.0]}, "not the counts of curves.labels_bought, [0.0, 5.0]"),
        ({"labels_bought": []}, "not the counts of curves.labels_bought, []"),
        ({"test_balanced_accuracy": [0.5, 0.6]}, "not the counts"),
        ({"test_balanced_accuracy": [0.5, 0.61, 0.7]}, "0.6 is not the score of checkpoint 1"),
        ({"test_balanced_accuracy": [0.5, None, 0.7]}, "0.6 is not the score of checkpoint 1"),
    ],
)
def test_scores_against_labels_that_the_curves_contradict_are_refused(curves, problem):
    record = make_record(scenario=FOR_SALE, relabelling=BOUGHT)
    record["curves"].update(curves)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("heights", [{0: 0.5, 5: 0.6, 10: 0.7}, {7: 0.5}, {}])
def test_scores_against_labels_are_read_as_they_were_written(heights):
    record = make_record(scenario=FOR_SALE, relabelling=make_relabelling(heights))
    assert parse_record(canonical_json(record)) == record


def test_a_record_from_before_labels_were_for_sale_stays_valid():
    record = make_record()
    del record["relabelling"]
    assert parse_record(canonical_json(record)) == record


def test_a_block_that_is_no_object_is_refused():
    with pytest.raises(ValueError, match="relabelling: expected a block of scores"):
        parse_record(json.dumps({**make_record(), "relabelling": []}))


def test_a_plugins_own_metric_has_no_bounds():
    record = make_record()
    record["metrics"]["tail"]["money"] = {"value": -3e6, "interval": None}
    assert parse_record(canonical_json(record)) == record


def test_nesting_without_end_is_no_record():
    with pytest.raises(ValueError, match="nested"):
        parse_record("[" * 100_000)


def test_a_record_of_a_newer_benchbase_says_to_update():
    record = {**make_record(), "schema": SCHEMA[:-1] + "999"}
    with pytest.raises(ValueError, match="of a newer benchbase: update benchbase"):
        parse_record(json.dumps(record))
