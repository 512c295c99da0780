"""``benchbase leaderboard --format``: one table, printed."""

from __future__ import annotations

import csv
import io
import json

import pytest

from benchbase.cli import invoke
from benchbase.records.committed import Committed
from tests.unit.made_records import CLEAN, make_board, make_records

BOARD = 'weighters = ["plain"]\nseeds = 3\n[[scenarios]]\nimbalance = [1]\n'


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    records = make_records(make_board(("plain",), [CLEAN], seeds=3), {"plain": 0.7})
    Committed(folder).merge(records)
    return folder


def printed(capsys, form):
    assert invoke(["leaderboard", "--board", "demo", "--format", form]) == 0
    return capsys.readouterr().out


def test_each_format_is_printed_and_nothing_is_written(board, capsys):
    before = sorted(path.name for path in board.rglob("*"))
    assert "\\toprule" in printed(capsys, "latex")
    assert printed(capsys, "markdown").startswith("| rank ")
    assert [line["method"] for line in csv.DictReader(io.StringIO(printed(capsys, "csv")))] == [
        "plain",
        "plain",
    ]
    assert json.loads(printed(capsys, "json"))
    assert [json.loads(line)["method"] for line in printed(capsys, "jsonl").splitlines()] == [
        "plain",
        "plain",
    ]
    assert sorted(path.name for path in board.rglob("*")) == before


def test_what_only_a_format_uses_is_refused_without_one(board, capsys):
    assert invoke(["leaderboard", "--board", "demo"]) == 2
    assert "name a --format as well" in capsys.readouterr().err
    assert not (board / "README.md").exists()


def test_an_unknown_format_names_those_there_are(board, capsys):
    assert invoke(["leaderboard", "--format", "word"]) == 2
    assert "'latex', 'markdown', 'csv', 'json', 'jsonl'" in capsys.readouterr().err
