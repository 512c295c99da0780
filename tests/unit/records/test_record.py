from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import numpy as np
import pytest

from benchbase.cell import JSON, Recipe, canonical_json, content_hash
from benchbase.records import record as record_module
from benchbase.records.record import SCHEMA, as_json, record_text, schema_json
from benchbase.records.store import new_attempt
from benchbase.records.validation import parse_record
from tests.unit.made_records import make_record, make_relabelling, make_scenario


def test_records_of_every_status_are_read_as_they_were_written():
    for status in ("ok", "error", "oom", "timeout", "killed", "diverged"):
        record = make_record(status=status, attempt=new_attempt(), auroc=0.7)
        assert parse_record(record_text(record)) == record


def made(**fields) -> JSON:
    """Give a record as the JSON object that its file holds."""
    return as_json(make_record(**fields))


def balanced(record: JSON) -> JSON:
    found: JSON = record["metrics"]["tail"]["balanced_accuracy"]
    return found


PROBLEMS: dict[str, Callable[[JSON], object]] = {
    "its key is not the hash of its spec": lambda r: r.update(key="0" * 64),
    "not the name of an attempt": lambda r: r.update(attempt="1"),
    "Invalid enum value 'fine' - at `$.status`": lambda r: r.update(status="fine"),
    "missing required field `cost`": lambda r: r.pop("cost"),
    "unknown field `colour`": lambda r: r.update(colour="red"),
    "Expected `bool`, got `int` - at `$.trusted`": lambda r: r.update(trusted=1),
    "Expected `str | null`, got `int` - at `$.reason`": lambda r: r.update(reason=3),
    "Expected `object`, got `array` - at `$.metrics": lambda r: r["metrics"].update(tail=[]),
    "Expected `object`, got `float` - at `$.metrics": lambda r: r["metrics"]["tail"].update(
        mcc=0.5
    ),
    "metrics.last.mcc: expected -1 to 1": lambda r: r["metrics"]["last"]["mcc"].update(value=-1.5),
    "metrics.last.mcc: null without a reason": lambda r: r["metrics"]["last"]["mcc"].update(
        value=None
    ),
    "last.brier: expected 0 to 2": lambda r: r["metrics"]["last"]["brier"].update(value=2.5),
    "tail.balanced_accuracy: expected 0 to 1": lambda r: balanced(r).update(value=1.2),
    "Expected `float | array | null`, got `bool`": lambda r: balanced(r).update(value=True),
    "Expected `float | array | null`, got `str`": lambda r: balanced(r).update(value="1"),
    "0.81 is not the mean of the recalls": lambda r: balanced(r).update(value=0.81),
    "with the recall of each class": lambda r: r["metrics"]["tail"].pop("recall_per_class"),
    "Expected `array` of length >= 2": lambda r: balanced(r).update(interval=[0.5]),
    "Expected `str`, got `bool` - at `$.grants": lambda r: r["grants"].update(truth=True),
    "Expected `float | null`, got `str` - at `$.curves": lambda r: r["curves"].update(loss=["low"]),
    "Expected `array`, got `float` - at `$.curves": lambda r: r["curves"].update(loss=3.0),
    "cost.seconds_train: expected 0 to": lambda r: r["cost"].update(seconds_train=-1.0),
    "weights.auroc: expected 0 to 1": lambda r: r["weights"].update(auroc=7.0),
    "$.corruption.identifiable": lambda r: r["corruption"].update(identifiable="no"),
    "$.corruption.class_counts": lambda r: r["corruption"].update(class_counts=[1.5]),
    "corruption.class_counts: expected 0": lambda r: r["corruption"].update(class_counts=[-1]),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_record_cannot_say_is_refused_and_named(problem):
    record = made(auroc=0.7)
    PROBLEMS[problem](record)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("part", ["weighter", "scenario", "data", "seed"])
def test_a_spec_that_lacks_a_part_is_refused_even_with_its_own_hash(part):
    record = made()
    del record["spec"][part]
    record["key"] = content_hash(record["spec"])
    with pytest.raises(ValueError, match=f"missing required field `{part}`"):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(number):
    text = canonical_json(made(seconds=12345.0)).replace("12345.0", number)
    with pytest.raises(ValueError, match=r"malformed|out of range"):
        parse_record(text)


def test_single_precision_is_no_contradiction():
    record = made()
    balanced(record)["value"] += 5e-6
    assert as_json(parse_record(canonical_json(record))) == record


FOR_SALE = make_scenario(label_budget=10)
SELECTED: dict[str, Callable[[JSON], object]] = {
    "selected.last: expected checkpoints of 3": lambda r: r["selected"].update(last=[3]),
    "got [-1]": lambda r: r["selected"].update(last=[-1]),
    "selected.last: expected a balanced accuracy": lambda r: r["selected"].update(last=[]),
    "selected.best: expected a balanced accuracy": lambda r: r["selected"].update(best=[0]),
    "0.8 is not the mean of the checkpoints [1, 2]": lambda r: r["selected"].update(tail=[1, 2]),
    "metrics.tail.balanced_accuracy: 0.8 is not": lambda r: r["curves"].update(
        test_balanced_accuracy=[0.6, 0.7, 0.7]
    ),
}


CHOSEN: dict[str, Callable[[JSON], object]] = {
    "chosen.macro_auroc.oracle: expected one of 3 checkpoints, got 3": lambda r: r["chosen"].update(
        macro_auroc={"oracle": 3}
    ),
    "0.8 is not what curves.test_macro_auroc has at checkpoint 1, 0.7": lambda r: r[
        "chosen"
    ].update(macro_auroc={"oracle": 1}),
    "expected one of 0 checkpoints": lambda r: r["curves"].pop("test_macro_auroc"),
}


@pytest.mark.parametrize("problem", CHOSEN)
def test_a_checkpoint_chosen_by_another_metric_must_have_its_score(problem):
    record = made(score=0.8)
    record["chosen"] = {"macro_auroc": {"oracle": 2}}
    record["curves"]["test_macro_auroc"] = [0.9, 0.7, 0.8]
    assert as_json(parse_record(json.dumps(record))) == record
    CHOSEN[problem](record)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("problem", SELECTED)
def test_a_score_that_the_curve_contradicts_is_refused(problem):
    record = made(score=0.8)
    SELECTED[problem](record)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


RELABELLING: dict[str, Callable[[JSON], object]] = {
    "labels_bought: expected rising counts": lambda block: block.update(labels_bought=[0, 5, 5]),
    "rising counts, got [-1, 5, 9]": lambda block: block.update(labels_bought=[-1, 5, 9]),
    "rising counts, got []": lambda block: block.update(labels_bought=[]),
    "accuracy: expected a score for each of [0, 5, 10]": lambda block: block["accuracy"].pop(),
    "relabelling.macro_f1: expected 0 to 1": lambda block: block.update(macro_f1=[0.5, 1.6, 0.7]),
    "area.balanced_accuracy: 0.8 is not the area": lambda block: block["area"].update(
        balanced_accuracy=0.8
    ),
    "area.accuracy: None is not the area": lambda block: block["area"].update(accuracy=None),
}
BOUGHT = make_relabelling({0: 0.5, 5: 0.6, 10: 0.7})


@pytest.mark.parametrize("problem", RELABELLING)
def test_scores_against_labels_that_contradict_themselves_are_refused(problem):
    record = made(scenario=FOR_SALE, relabelling=copy.deepcopy(BOUGHT))
    RELABELLING[problem](record["relabelling"])
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


def test_more_labels_in_all_than_were_for_sale_are_refused():
    record = made(scenario=FOR_SALE, relabelling=BOUGHT)
    record["cost"]["labels_bought"] = 11
    with pytest.raises(ValueError, match="with a budget of 10"):
        parse_record(json.dumps(record))


def test_a_curve_of_labels_without_scores_is_refused():
    record = made(scenario=FOR_SALE, relabelling=BOUGHT)
    record["relabelling"] = None
    with pytest.raises(ValueError, match="expected it with a curve of labels_bought"):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("budget", [9, None])
def test_more_labels_than_were_for_sale_are_refused(budget):
    record = made(scenario=make_scenario(label_budget=budget), relabelling=BOUGHT)
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
    record = made(scenario=FOR_SALE, relabelling=BOUGHT)
    record["curves"].update(curves)
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_record(json.dumps(record))


@pytest.mark.parametrize("heights", [{0: 0.5, 5: 0.6, 10: 0.7}, {7: 0.5}])
def test_scores_against_labels_are_read_as_they_were_written(heights):
    record = made(scenario=FOR_SALE, relabelling=make_relabelling(heights))
    assert as_json(parse_record(canonical_json(record))) == record


def test_a_plugins_own_metric_has_no_bounds():
    record = made()
    record["metrics"]["tail"]["money"] = {"value": -3e6}
    assert as_json(parse_record(canonical_json(record))) == record


def test_nesting_without_end_is_no_record():
    with pytest.raises(ValueError, match="nested"):
        parse_record('{"schema": "benchbase-record-2", "spec": ' + "[" * 100_000)


def test_what_another_version_wrote_is_told_from_what_is_damaged():
    newer = {"schema": "benchbase-record-9", "key": 7}
    with pytest.raises(ValueError, match=r"of a newer benchbase: update benchbase"):
        parse_record(json.dumps(newer))
    with pytest.raises(ValueError, match="earlier benchbase"):
        parse_record(json.dumps({**made(), "schema": "benchbase-record-1"}))
    with pytest.raises(ValueError, match="expected the schema"):
        parse_record(json.dumps({**made(), "schema": "something"}))


def test_a_record_from_before_a_field_had_its_default_stays_valid():
    record = made()
    del record["spec"]["scenario"]["label_budget"]
    record["key"] = content_hash(record["spec"])
    assert parse_record(json.dumps(record)).spec.scenario.label_budget is None


def test_a_field_that_no_spec_has_is_refused_even_with_its_own_hash():
    record = made()
    record["spec"]["scenario"]["from_the_future"] = 1
    record["key"] = content_hash(record["spec"])
    with pytest.raises(ValueError, match=r"spec.scenario.from_the_future: a record has no such"):
        parse_record(json.dumps(record))


def test_a_spec_is_hashed_in_one_spelling_of_its_numbers():
    recipe = Recipe(learning_rate=0.0000313, weight_decay=1e22)
    record = make_record(scenario=make_scenario(ratio=10.0, recipe=recipe), options={"gain": 1e-7})
    text = canonical_json(as_json(record)["spec"])
    assert '"imbalance_options":{"ratio":10},' in text, "also where it was given as 10.0"
    assert '"learning_rate":3.13e-05,' in text
    assert '"weight_decay":1e+22}' in text
    assert '"options":{"gain":1e-07},' in text
    assert content_hash(json.loads(text)) == record.key
    assert parse_record(msgspec.json.encode(as_json(record))) == record, "however it is spelt"


def test_the_committed_schema_is_the_emitted_one_and_describes_records():
    committed = Path(record_module.__file__).with_name("record.schema.json").read_text()
    assert committed == schema_json(), "write what schema_json() gives to it"
    validator = jsonschema.Draft202012Validator(json.loads(committed))
    for record in (make_record(auroc=0.7), make_record(status="oom"), make_record(reason="x")):
        validator.validate(as_json(record))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**made(), "colour": "red"})
    assert json.loads(committed)["$defs"]["Record"]["properties"]["schema"]["default"] == SCHEMA


def test_numbers_of_numpy_become_plain_at_the_seam():
    found = make_record(
        curves={"loss": np.arange(2.0)},
        metrics={"last": {"money": {"value": np.float64(0.5)}}},
        selected={"last": [np.int64(1)]},
    )
    assert type(found.metrics["last"]["money"].value) is float
    assert found.curves == {"loss": [0.0, 1.0]}
    assert found.selected == {"last": [1]}
