"""Ten thousand records to a leaderboard in less than three seconds."""

from __future__ import annotations

import pytest

from benchbase.committed import Committed
from benchbase.leaderboard import board_files
from tests.unit.records import make_board, make_records, make_scenario

SECONDS = 3.0


def test_ten_thousand_records_become_a_leaderboard_in_three_seconds(benchmark, tmp_path):
    methods = {f"method-{index}": 0.5 + 0.004 * index for index in range(50)}
    scenarios = [make_scenario(rate / 100, ratio) for rate in range(20) for ratio in (1, 10)]
    board = make_board(methods, scenarios, seeds=5, reference="method-0")
    records = make_records(board, methods)
    assert len(records) == 10_000
    Committed(tmp_path).merge(records)

    def read_and_build():
        return board_files(board, Committed(tmp_path).records())

    files = benchmark.pedantic(read_and_build, rounds=3, warmup_rounds=1)
    assert files["README.md"].count("method-49") == 4
    if benchmark.enabled:
        assert benchmark.stats["min"] < SECONDS
    else:
        pytest.skip("timing is switched off")
