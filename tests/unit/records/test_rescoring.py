from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbase.judging.clinical import Sensitivity
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import Metric
from benchbase.records.home import Home
from benchbase.records.record import Artefact, Record, Score
from benchbase.records.rescoring import rescored, scored_again
from benchbase.records.store import Store
from tests.unit.made_records import make_record, store_predictions

LABELS = np.array([0, 1, 1, 1])


class Share(Metric):
    """How often the second class is said."""

    name = "share"
    version = "1"

    def score(self, logits, labels):
        return float(logits.argmax(1).mean())


class Later(Share):
    version = "2"

    def score(self, logits, labels):
        return 1 - super().score(logits, labels)


ONE, TWO = Extra.of(Share(), ""), Extra.of(Later(), "")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Store a record of three checkpoints, with the predictions of the last two."""
    logits = np.zeros((2, 4, 2), dtype=np.float16)
    logits[0, :, 1] = [-1, -1, -1, 1]
    logits[1, :, 1] = [-1, 1, 2, 3]
    _, digest = store_predictions(tmp_path, make_record(), [1, 2], logits, LABELS)
    found = make_record(
        artefacts={"predictions": {"sha256": digest}},
        metric_versions={"share": "1"},
    )
    found.selected.update({rule: [2] for rule in found.selected})
    for scores in found.metrics.values():
        scores["share"] = Score(value=0.75)
    Store(Home(tmp_path)).write(found)
    return found


def share_of(record: Record, rule: str = "last") -> Score:
    return record.metrics[rule]["share"]


def test_a_metric_of_the_recorded_version_is_left_alone(record, tmp_path):
    assert rescored(record, [ONE], tmp_path) is record


def test_a_changed_metric_is_computed_again_from_the_predictions(record, tmp_path):
    again = rescored(record, [TWO], tmp_path)
    assert share_of(again) == Score(value=0.25)
    assert again.metric_versions == {"share": "2"}
    assert share_of(record).value == 0.75, "the record itself stays"


def test_a_mended_metric_gets_its_value(record, tmp_path):
    class Broken(Share):
        def score(self, logits, labels):
            raise KeyError("bug")

    broken = rescored(record, [Extra(Broken(), "1.1")], tmp_path)
    assert share_of(broken).reason == "the metric share raised KeyError: 'bug'"
    assert broken.status == "ok"
    assert share_of(rescored(broken, [TWO], tmp_path)) == Score(value=0.25)


def test_what_was_computed_again_is_found_again_and_the_attempt_stays(record, tmp_path):
    store = Store(Home(tmp_path))
    [path] = (tmp_path / "runs").rglob("*.json")
    before = path.read_bytes()
    found = scored_again({record.key: record}, [TWO], store)
    assert path.read_bytes() == before
    assert [*store.records()] == [*found.values()]
    assert share_of(store.attempts(record.key)[0]).value == 0.25


def test_a_record_from_elsewhere_keeps_what_it_says(record, tmp_path):
    record.artefacts["predictions"] = Artefact(sha256="0")
    assert rescored(record, [TWO], tmp_path) is record


def test_what_chooses_the_checkpoint_has_a_value_only_where_none_is_chosen(record, tmp_path):
    record.chosen.update({"sensitivity": {"oracle": 1}, "accuracy": {"oracle": 1}})
    record.selected["oracle"] = [1]
    record.curves["test_sensitivity"] = [0.1, 0.2, 0.3]
    again = rescored(record, [Extra.of(Sensitivity(), "")], tmp_path)
    assert again.metrics["last"]["sensitivity"].value == 1.0
    assert "chosen by this metric" in (again.metrics["oracle"]["sensitivity"].reason or "")
    assert again.chosen == {"accuracy": {"oracle": 1}}
    assert "test_sensitivity" not in again.curves
