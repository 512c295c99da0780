"""``benchbase compare``: on one board, on all, and in the last run."""

from __future__ import annotations

import pytest

from benchbase.cli import invoke
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.last import remember_run
from benchbase.records.store import Store
from tests.unit.made_records import CLEAN, make_board, make_records

BOARD = 'weighters = ["plain", "clever"]\nseeds = 3\n[[scenarios]]\nimbalance = [1]\n'
DEMO = make_board(("plain", "clever"), [CLEAN], seeds=3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    for name in ("one", "two", "without"):
        folder = tmp_path / "leaderboards" / name
        folder.mkdir(parents=True)
        (folder / "board.toml").write_text(BOARD)
        if name != "without":
            Committed(folder).merge(make_records(DEMO, {"plain": 0.7, "clever": 0.8}))
    return tmp_path


def test_every_leaderboard_that_has_both_is_told_or_the_one_that_is_named(folder, capsys):
    assert invoke(["compare", "clever", "plain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines if line[0] != " "] == ["one", "two"]
    assert invoke(["compare", "clever", "plain", "--board", "two"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("two: clever is better than plain, +10.")
    assert invoke(["compare", "clever", "plain", "--board", "without"]) == 2


def test_else_it_is_the_last_run(folder, capsys):
    store = Store(Home(folder / "home"))
    board = make_board(("plain", "mine"), [CLEAN], seeds=3, name="mine")
    records = make_records(board, {"plain": 0.7, "mine": 0.6})
    for record in records:
        store.write(record)
    remember_run(store.home, board, records, None)
    assert invoke(["compare", "mine", "plain"]) == 0
    assert capsys.readouterr().out.startswith("mine: mine is worse than plain, ")
    assert invoke(["compare", "nobody", "plain"]) == 2
