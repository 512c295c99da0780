"""Homes brought together: nothing lost, nothing changed, nothing twice."""

from __future__ import annotations

import msgspec
import pytest

from benchbase.cli import invoke
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


def test_the_command_says_what_each_brought(tmp_path, capsys):
    for name, seed in (("one", 0), ("two", 1)):
        filled(tmp_path / name, seed)
    folders = [str(tmp_path / name) for name in ("one", "two")]
    assert invoke(["merge", *folders, "--home", str(tmp_path / "all")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.rsplit(":")[-1].strip() for line in said] == ["1 added, 0 known"] * 2


def test_a_changed_attempt_and_a_folder_that_is_no_home_are_refused(tmp_path, capsys):
    source, target = filled(tmp_path / "one", 0), filled(tmp_path / "all", 0)
    [record] = Store(source).records()
    path = target.record(record.key, record.attempt)
    path.write_text(path.read_text().replace("0.8", "0.9", 1))
    assert invoke(["merge", str(source.path), "--home", str(target.path)]) != 0
    assert "differs from the same attempt" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert invoke(["merge", str(tmp_path / "empty"), "--home", str(tmp_path / "new")]) == 2
    assert "no home of results" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [["--home", "all"], ["one"]])
def test_folders_and_a_target_are_needed(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    assert invoke(["merge", *arguments]) == 2
