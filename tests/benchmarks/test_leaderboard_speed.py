"""Ten and a hundred thousand records, read and made into a leaderboard's files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.boards.board import Board
from benchbase.leaderboard import board_files
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.record import Record, record_text
from benchbase.records.store import Store
from tests.unit.made_records import make_board, make_records, make_scenario

METHODS = {f"method-{index}": 0.5 + 0.004 * index for index in range(50)}
SCENARIOS = [make_scenario(rate / 100, ratio) for rate in range(20) for ratio in (1, 10)]


def make(seeds: int) -> Board:
    """Plan 2,000 cells a seed."""
    return make_board(METHODS, SCENARIOS, seeds=seeds, reference="method-0")


def committed(folder: Path) -> Callable[[], list[Record]]:
    """Read the records beside a board anew at each call."""
    return lambda: Committed(folder).records()


def build(benchmark, board: Board, read: Callable[[], list[Record]], rounds: int) -> float:
    """Give the processor seconds from files to pages: what else the machine does must not count."""
    seconds: list[float] = []

    def read_and_build() -> dict[str, str]:
        before = time.process_time()
        files = board_files(board, read())
        seconds.append(time.process_time() - before)
        return files

    files = benchmark.pedantic(read_and_build, rounds=rounds)
    assert files["leaderboard.csv"].count("method-49,") == 1 + len(board.scenarios)
    return min(seconds)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("place", ["beside a board", "in a home"])
def test_ten_thousand_records_become_a_leaderboard_in_a_second(benchmark, hold, tmp_path, place):
    board = make(5)
    records = make_records(board, METHODS)
    assert len(records) == 10_000
    if place == "in a home":
        for record in records:
            path = Home(tmp_path).record(record.key, record.attempt)
            path.parent.mkdir(parents=True)
            path.write_text(record_text(record))
    else:
        Committed(tmp_path).merge(records)
    stored = {"in a home": Store(Home(tmp_path)).records, "beside a board": committed(tmp_path)}
    seconds = build(benchmark, board, stored[place], rounds=3)
    if benchmark.enabled:
        hold(f"seconds for 10,000 records {place}", seconds, 1.0)


@pytest.mark.rare
@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
def test_a_hundred_thousand_records_become_a_leaderboard_in_ten_seconds(benchmark, hold, tmp_path):
    board = make(50)
    for method, score in METHODS.items():
        alone = make_board([method], SCENARIOS, 50, reference=method)
        Committed(tmp_path).merge(make_records(alone, {method: score}))
    seconds = build(benchmark, board, committed(tmp_path), rounds=1)
    if benchmark.enabled:
        hold("seconds for 100,000 records beside a board", seconds, 10.0)
