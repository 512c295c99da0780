"""``benchbase why``: which parts of a key differ, and that nothing does."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from benchbase.cell import content_hash
from benchbase.cli import invoke
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.running import installed, make_job
from tests.unit.made_records import changed, make_record


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("benchbase.cli.why.read_catalogue", lambda *_: installed())
    return Store(Home(tmp_path / "home"))


def stored(store, spec, source="", lives=1):
    """Store a record of that spec; give the first letters of its key."""
    key = content_hash(msgspec.to_builtins(spec))
    record = changed(make_record(), "provenance", source=source, lives=lives)
    store.write(msgspec.structs.replace(record, spec=spec, key=key))
    return key[:10]


def test_nothing_differs_where_a_run_finds_the_cell_again(store, tmp_path, capsys):
    job = make_job("erm", tmp_path / "home" / "cache")
    key = stored(store, job.cell.spec, job.weighter.source_hash)
    assert invoke(["why", key]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"nothing differs: a run finds cell {key}")
    assert said.count("\n") == 1


def test_interruptions_are_told(store, tmp_path, capsys):
    job = make_job("erm", tmp_path / "home" / "cache")
    assert invoke(["why", stored(store, job.cell.spec, job.weighter.source_hash, lives=2)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("it was run in 2 lives: interrupted, and gone on from a snapshot\n")


def test_each_part_that_differs_is_a_line(store, tmp_path, capsys):
    spec = make_job("erm", tmp_path / "home" / "cache").cell.spec
    weighter = dataclasses.replace(spec.weighter, version="0")
    key = stored(store, msgspec.structs.replace(spec, torch="1.0", weighter=weighter))
    assert invoke(["why", key]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"torch: 1.0 in the record, {spec.torch} today",
        f"weighter.version: 0 in the record, {spec.weighter.version} today",
    ]


def test_other_code_under_the_same_version_is_told(store, tmp_path, capsys):
    key = stored(store, make_job("erm", tmp_path / "home" / "cache").cell.spec, "other code")
    assert invoke(["why", key]) == 0
    assert (
        "erm: code changed since, not replayed, under the same version" in capsys.readouterr().out
    )


def test_a_cell_that_is_not_there_is_refused(store):
    assert invoke(["why", "abcdef"]) == 2
