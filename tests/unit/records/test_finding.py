from __future__ import annotations

import pytest

from benchbase.errors import UsageError
from benchbase.records.committed import Committed
from benchbase.records.finding import find_record
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.unit.made_records import attempt_name, make_record

BOARD = 'weighters = ["plain"]\nseeds = 2\n[[scenarios]]\nimbalance = [1]\n'


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    Committed(folder).merge([make_record(attempt=attempt_name(2))])
    store = Store(Home(tmp_path / "home"))
    store.write(make_record(attempt=attempt_name(1)))
    store.write(make_record(seed=1, attempt=attempt_name(3)))
    return store


def test_the_newest_attempt_is_found_with_the_board_that_it_lies_beside(store):
    found = find_record(make_record().key[:9].upper(), store)
    assert found.record.attempt == attempt_name(2)
    assert found.folder is not None
    assert found.folder.name == "demo"


def test_a_record_of_the_home_lies_beside_no_board(store):
    assert find_record(make_record(seed=1).key[:9], store).folder is None


def test_a_board_that_is_named_is_the_only_one_looked_at(store, tmp_path):
    other = tmp_path / "leaderboards" / "other"
    other.mkdir()
    (other / "board.toml").write_text(BOARD)
    assert find_record(make_record().key[:9], store, "other").record.attempt == attempt_name(1)


@pytest.mark.parametrize(("prefix", "count"), [("", "2 cells"), ("zz", "no cell")])
def test_none_or_several_are_refused(store, prefix, count):
    with pytest.raises(UsageError, match=f"^{count} below "):
        find_record(prefix, store)
