"""Which code made the records is read without the rest of them."""

from __future__ import annotations

from pathlib import Path

from benchbase.records.committed import Committed
from benchbase.records.glimpses import glimpses
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.unit.made_records import changed, make_record


def test_every_record_of_the_home_and_of_boards_that_are_not_frozen_is_seen(tmp_path: Path) -> None:
    home, boards = Home(tmp_path / "home"), tmp_path / "leaderboards"
    for seed, source in enumerate(("one", "two")):
        Store(home).write(changed(make_record(seed=seed), "provenance", source=source))
    for name, text in (("open", ""), ("old", 'frozen = "protocol 1"'), ("odd", "frozen =")):
        (boards / name).mkdir(parents=True)
        (boards / name / "board.toml").write_text(text)
        Committed(boards / name).merge([changed(make_record(), "provenance", source=name)])
    damaged = home.record("ab" * 32, "20260101T000000.000000Z-00000000")
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    seen = list(glimpses(home, boards))
    assert sorted(each.provenance.source for each in seen) == ["one", "open", "two"]
    assert {each.spec.weighter.name for each in seen} == {"plain"}
    assert {each.spec.scenario.backbone for each in seen} == {"small_cnn"}


def test_an_empty_home_has_none(tmp_path: Path) -> None:
    assert list(glimpses(Home(tmp_path), tmp_path)) == []
