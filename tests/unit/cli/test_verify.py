"""``benchbase verify``: what it says, and its exit codes."""

from __future__ import annotations

import shutil

import pytest

from benchbase.boards.board import load_board
from benchbase.boards.labels import LabelsHere
from benchbase.cli import invoke
from benchbase.leaderboard import write_board, write_index
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.predictions import commit_predictions
from benchbase.plugins import Catalogue
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.unit.judged_records import judged_record
from tests.unit.made_records import under_secret

BOARD = 'weighters = ["plain"]\nseeds = 1\n[[scenarios]]\nimbalance = [1]\n'


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A board whose data are not here."""

    def nowhere(*_, **__):
        here = LabelsHere()
        here.missing["nuclei"] = "no such file"
        return here

    monkeypatch.setattr(LabelsHere, "of_board", nowhere)
    monkeypatch.setattr("benchbase.cli.verify.read_catalogue", lambda *_: Catalogue(()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    home = Home(tmp_path / "home")
    record = judged_record(home.path)
    Store(home).write(record)
    Committed(folder).merge([record])
    written = load_board(str(folder))
    commit_predictions(folder, written, choose(written, [record]), home)
    write_board(folder, load_board(str(folder)), Committed(folder).records())
    write_index(folder.parent)
    return folder


def test_all_boards_or_one_are_verified(board, capsys):
    assert invoke(["verify"]) == 0
    said = capsys.readouterr().out
    assert "demo: 3 of 3 pages follow\n" in said
    assert "1 records: 1 computed again from their predictions, 0 compared with the data" in said
    assert "nuclei: not compared with the data, which are not here (no such file)" in said
    assert "recorded, not recomputed: weight diagnostics, costs, macro AUROC" in said
    assert invoke(["verify", "demo"]) == 0


def test_methods_whose_code_changed_since_are_told(board, capsys, monkeypatch):
    [record] = Committed(board).records()
    told = []

    def changed_since(records, _catalogue):
        told.append([each.key for each in records])
        return ["plain: code changed since, not replayed (1 results)"]

    monkeypatch.setattr("benchbase.cli.verify.not_replayed", changed_since)
    for target in ("demo", record.key[:8]):
        assert invoke(["verify", target]) == 0
        assert "  plain: code changed since, not replayed" in capsys.readouterr().out
    assert told == [[record.key], [record.key]]


@pytest.mark.parametrize("name", ["README.md", "../README.md"])
def test_an_edited_page_or_index_is_exit_4(board, name, capsys):
    (board / name).write_text("edited")
    assert invoke(["verify"]) == 4
    assert "README.md: differs from its records" in capsys.readouterr().err


def test_an_altered_line_is_exit_4_with_its_file_and_number(board, capsys):
    [path] = board.glob("results/*/*.jsonl")
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    assert invoke(["verify"]) == 4
    assert "plain.jsonl, line 1: not a record (its key is not the hash" in capsys.readouterr().err


def test_a_record_is_verified_by_its_key_in_the_home_and_on_a_board(board, capsys):
    [record] = Committed(board).records()
    assert invoke(["verify", record.key[:8]]) == 0
    assert "home" in capsys.readouterr().out
    predictions = Home(board.parents[1] / "home").predictions(record.key, record.attempt)
    predictions.write_bytes(b"garbage")
    assert invoke(["verify", record.key[:8]]) == 4
    assert "not the file that its record names" in capsys.readouterr().err
    (board.parents[1] / "home").rename(board.parents[1] / "elsewhere")
    assert invoke(["verify", record.key[:8]]) == 0
    assert "leaderboards/demo" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["quick", "no-such-board", "abcdef0123"])
def test_what_is_neither_a_board_with_pages_nor_a_key_is_refused(board, target):
    assert invoke(["verify", target]) == 2


def test_a_board_without_results_has_nothing_to_verify(board, capsys):
    shutil.rmtree(board / "results")
    assert invoke(["verify", "demo"]) == 0
    assert "demo: no results yet, nothing to verify" in capsys.readouterr().out


def test_a_frozen_board_is_passed_over_and_refused_by_name(board, capsys):
    (board / "board.toml").write_text('frozen = "protocol 1"\n' + BOARD)
    write_index(board.parent)
    (board / "README.md").write_text("as it was")
    assert invoke(["verify"]) == 0
    assert invoke(["verify", "demo"]) == 2
    assert "is frozen (made under protocol 1)" in capsys.readouterr().err


def test_a_board_of_a_secret_says_what_to_name_to_compare_its_labels(board, capsys):
    mark = "a" * 16
    (board / "board.toml").write_text(f'noise_secret = "{mark}"\n' + BOARD)
    verified = load_board(str(board))
    [path] = board.glob("results/*/*.jsonl")
    path.unlink()
    home = Home(board.parent.parent / "home")
    Committed(board).merge([under_secret(judged_record(home.path), mark)])
    write_board(board, verified, Committed(board).records())
    invoke(["verify", "demo"])
    said = capsys.readouterr().out
    assert f"drawn with the secret {mark}: name its file with --secret" in said
    assert f"split and noise drawn with the secret {mark}." in (board / "README.md").read_text()
