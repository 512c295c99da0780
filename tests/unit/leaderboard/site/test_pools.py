from __future__ import annotations

from benchbase.leaderboard.evidence import NONE
from benchbase.leaderboard.site.pools import pools
from tests.unit.leaderboard.site.hostile import hostile_board
from tests.unit.made_records import CLEAN, make_board, make_records


def labels(pool):
    return [row.label for row in pool.table.rows]


def test_ranks_are_those_of_the_methods_that_are_left():
    board, records = hostile_board()
    found = {pool.name: pool for pool in pools(board, records, NONE)}
    assert [*found] == ["all", "unchecked", "single", "both"]
    assert labels(found["all"])[0] == "clever"
    unchecked = found["unchecked"].table.rows
    assert "clever" not in labels(found["unchecked"])
    assert unchecked[0].ranks == (1, 1)
    assert {"clever", "a|b_c*d"}.isdisjoint(labels(found["both"]))


def test_the_reference_is_in_every_pool_and_equal_pools_are_one():
    board = make_board(("plain", "clever"), [CLEAN])
    records = [
        *make_records(board, {"plain": 0.7}, grants={"trusted": "clean"}),
        *make_records(board, {"clever": 0.8}),
    ]
    assert [pool.name for pool in pools(board, records, NONE)] == ["all"]
