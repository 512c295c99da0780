from __future__ import annotations

import pytest

from benchbase.leaderboard.pairs import pairs
from tests.unit.made_records import CLEAN, make_board, make_record, make_records

BOARD = make_board(("plain", "clever", "level"), [CLEAN], seeds=5)


def test_every_ranked_method_stands_against_every_other_one():
    records = make_records(BOARD, {"plain": 0.7, "clever": 0.8, "level": 0.7})
    found = {(pair.method, pair.other): pair for pair in pairs(BOARD, records)}
    assert len(found) == 6
    ahead = found["clever", "plain"]
    assert ahead.difference.mean == pytest.approx(0.1, abs=0.003)
    assert found["plain", "clever"].difference.mean == pytest.approx(-ahead.difference.mean)
    assert ahead.told_apart
    assert not found["level", "plain"].told_apart


def test_who_fails_or_is_alone_is_not_paired():
    records = make_records(make_board(("plain",), [CLEAN]), {"plain": 0.7})
    assert pairs(BOARD, records) == []
    failing = [make_record("clever", seed=seed, status="oom") for seed in range(5)]
    assert pairs(BOARD, [*records, *failing]) == []
