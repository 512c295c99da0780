"""Homes brought together: nothing lost, nothing changed, nothing twice."""

from __future__ import annotations

import msgspec

from benchbase.records.home import Home
from benchbase.records.merging import Merged, merge_home
from benchbase.records.store import Store
from tests.unit.made_records import attempt_name, make_record


def filled(folder, *seeds):
    store = Store(Home(folder))
    for seed in seeds:
        record = make_record(seed=seed, attempt=attempt_name(seed))
        store.write(record)
        predictions = store.home.predictions(record.key, record.attempt)
        predictions.parent.mkdir(parents=True)
        predictions.write_bytes(b"logits of seed %d" % seed)
    return store.home


def test_everything_comes_together_and_the_second_time_changes_nothing(tmp_path):
    target = Home(tmp_path / "all")
    one, two = filled(tmp_path / "one", 0, 1), filled(tmp_path / "two", 1, 2)
    assert merge_home(one, target) == Merged(2, 0)
    assert merge_home(two, target) == Merged(1, 1)
    assert merge_home(two, target) == Merged(0, 2)
    records = list(Store(target).records())
    assert sorted(record.spec.seed for record in records) == [0, 1, 2]
    for record in records:
        kept = target.predictions(record.key, record.attempt).read_bytes()
        assert kept == b"logits of seed %d" % record.spec.seed


def test_scores_computed_later_come_along(tmp_path):
    source, target = filled(tmp_path / "one", 0), Home(tmp_path / "all")
    [record] = Store(source).records()
    Store(source).rescore(msgspec.structs.replace(record, metric_versions={"luck": "3"}))
    merge_home(source, target)
    [merged] = Store(target).records()
    assert merged.metric_versions == {"luck": "3"}


def test_what_stopped_half_way_is_finished(tmp_path):
    source, target = filled(tmp_path / "one", 0), Home(tmp_path / "all")
    [record] = Store(source).records()
    early = target.predictions(record.key, record.attempt)
    early.parent.mkdir(parents=True)
    early.write_bytes(b"logits of seed 0")
    assert merge_home(source, target) == Merged(1, 0)
