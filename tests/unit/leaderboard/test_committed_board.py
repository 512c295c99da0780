"""What the pages of committed boards are made of: verified once, frozen boards left out."""

from __future__ import annotations

import pytest

from benchbase.boards.board import load_board
from benchbase.errors import StoreError
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.committed_board import verified_boards
from benchbase.leaderboard.predictions import commit_predictions
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from tests.unit.judged_records import judged_record

BOARD = 'weighters = ["plain"]\nseeds = 3\n[[scenarios]]\nimbalance = [1]\n'


@pytest.fixture
def predictions(tmp_path, monkeypatch):
    """Commit the same records to a board and a frozen one; give the first's predictions."""
    monkeypatch.chdir(tmp_path)
    home = Home(tmp_path / "home")
    records = [judged_record(home.path, seed) for seed in range(3)]
    for name, frozen in (("old", 'frozen = "protocol 1"\n'), ("demo", "")):
        folder = tmp_path / "leaderboards" / name
        folder.mkdir(parents=True)
        (folder / "board.toml").write_text(frozen + BOARD)
        Committed(folder).merge(records)
        board = load_board(str(folder))
        written = commit_predictions(folder, board, choose(board, records), home)
    return written


def test_the_evidence_stands_in_the_table_beside_the_records(predictions):
    [one] = verified_boards()
    assert one.folder.name == one.board.name == "demo"
    assert len(one.records) == len(one.evidence.recomputed) == 3
    assert [row.evidence for row in one.table.rows] == ["recomputed"]


def test_a_damaged_file_is_refused(predictions):
    predictions[-1].write_bytes(b"garbage")
    with pytest.raises(StoreError, match="cannot be read as predictions"):
        verified_boards()
