"""Ten thousand committed records, read and made into a leaderboard's three files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchbase.boards.board import Board
from benchbase.leaderboard import board_files
from benchbase.records.committed import Committed
from tests.unit.made_records import make_board, make_records, make_scenario

SECONDS = 3.0
"""Of one core: what else the machine does must not count."""


def commit_records(folder: Path) -> Board:
    """Write 50 methods x 40 scenarios x 5 seeds below ``folder``; give their board."""
    methods = {f"method-{index}": 0.5 + 0.004 * index for index in range(50)}
    scenarios = [make_scenario(rate / 100, ratio) for rate in range(20) for ratio in (1, 10)]
    board = make_board(methods, scenarios, seeds=5, reference="method-0")
    records = make_records(board, methods)
    assert len(records) == 10_000
    Committed(folder).merge(records)
    return board


@pytest.mark.benchmark(timer=time.process_time)
def test_ten_thousand_records_become_a_leaderboard_in_three_seconds(benchmark, tmp_path):
    board = commit_records(tmp_path)

    def read_and_build():
        return board_files(board, Committed(tmp_path).records())

    files = benchmark.pedantic(read_and_build, rounds=3, warmup_rounds=1)
    assert files["leaderboard.csv"].count("method-49,") == 1 + len(board.scenarios)
    assert benchmark.stats is None or benchmark.stats["min"] < SECONDS
