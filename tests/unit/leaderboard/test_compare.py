"""Who is compared with whom, who is ranked, and who is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from scipy import stats as scipy_stats

from benchbase.leaderboard import build, render_markdown
from tests.unit.made_records import (
    NOISY,
    changed,
    make_board,
    make_record,
    make_records,
    make_scenario,
    undefined,
)

THREE = {"plain": 0.7, "clever": 0.8, "poor": 0.5}


def rows_of(board, records):
    return {row.label: row for row in build(board, records).rows}


def test_the_difference_to_the_reference_is_paired_by_seed():
    board = make_board(seeds=5, scenarios=[make_scenario()])
    hard = [0.0, 0.2, -0.2, 0.1, -0.1]
    records = [make_record(seed=seed, score=0.6 + hard[seed]) for seed in board.seeds]
    records += [
        make_record("clever", seed=seed, score=0.62 + hard[seed] + 0.001 * seed)
        for seed in board.seeds
    ]
    found = rows_of(board, records)
    expected = scipy_stats.ttest_1samp([0.02 + 0.001 * seed for seed in range(5)], 0)
    interval = expected.confidence_interval()
    difference = found["clever"].difference
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))
    assert not difference.covers_zero
    assert found["plain"].difference is None
    assert found["clever"].ranks == (1, 1)
    assert found["plain"].ranks == (2, 2)
    assert found["clever"].p == pytest.approx(2 / 2**5)


def test_with_several_data_sets_the_blocks_are_data_sets():
    scenarios = [make_scenario(), make_scenario(0.4), make_scenario(dataset="digits")]
    board = make_board(scenarios=scenarios, seeds=5)
    gains = {0: 0.02, 1: 0.04, 2: 0.05}
    records = [
        make_record(name, scenario, seed, 0.6 + (name == "clever") * gains[index])
        for name in ("plain", "clever")
        for index, scenario in enumerate(scenarios)
        for seed in board.seeds
    ]
    table = build(board, records)
    row = next(row for row in table.rows if row.label == "clever")
    assert table.blocks == "data sets"
    assert row.difference.blocks == 2
    assert row.difference.mean == pytest.approx((0.03 + 0.05) / 2)
    assert row.score.mean == pytest.approx(0.6 + (0.03 + 0.05) / 2)
    assert row.ranks == (1, 2), "two data sets decide nothing"


def test_a_failed_cell_is_covered_scores_zero_and_costs_the_rank():
    board = make_board(weighters=[*THREE, "fragile"])
    records = make_records(board, {**THREE, "fragile": 0.75})
    records = [
        replace(record, status="diverged", metrics={}, reason="NaN")
        if record.spec.weighter.name == "fragile" and record.spec.seed == 0
        else record
        for record in records
    ]
    found = rows_of(board, records)
    fragile = found["fragile"]
    assert fragile.covered == 10
    assert fragile.failures == {"diverged": 2}
    assert fragile.scenarios[0].failures == 1
    assert fragile.score.mean < 0.6 < found["plain"].score.mean
    assert {label: row.ranks for label, row in found.items()} == {
        "clever": (1, 1),
        "plain": (2, 2),
        "fragile": (3, 4),
        "poor": (3, 4),
    }, "failing less settles nothing for a method that scores less"


def test_a_method_that_always_fails_is_last_and_said_to_have_failed():
    board = make_board(weighters=["plain", "broken"])
    records = make_records(board, {"plain": 0.7})
    records += [
        make_record("broken", scenario, seed, status="error")
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    table = build(board, records)
    assert [(row.label, row.ranks) for row in table.rows] == [("plain", (1, 1)), ("broken", (2, 2))]
    assert "| 2      | broken † | failed " in render_markdown(table)


def test_an_undefined_score_is_no_zero_and_no_failure_but_costs_the_rank_with_the_reason():
    board = make_board(weighters=["plain", "clever"])
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    whole = rows_of(board, records)
    at = next(i for i, one in enumerate(records) if one.spec.weighter.name == "clever")
    records[at] = undefined(records[at])  # at seed 0, in the first scenario
    table = build(board, records)
    found = {row.label: row for row in table.rows}
    clever = found["clever"]
    reason = "balanced accuracy is undefined in 1 of 10 cells: all images are of one class"
    assert (clever.standing, clever.ranks, clever.p) == (reason, None, None)
    assert (clever.failures, clever.scenarios[0].failures, clever.covered) == ({}, 0, 10)
    assert clever.scenarios[0].score.blocks == 4
    assert (clever.score.blocks, clever.difference.blocks) == (4, 4)
    assert clever.score.mean == pytest.approx(whole["clever"].score.mean, abs=0.01)
    assert found["plain"].ranks == (1, 1)
    assert f"Not ranked: clever ({reason})." in render_markdown(table)


def test_where_nobody_has_a_score_who_failed_scores_no_zero_and_wins_no_rank():
    board = make_board(weighters=["plain", "fragile"])
    records = make_records(board, {"plain": 0.7, "fragile": 0.7})
    for at, record in enumerate(records):
        if record.spec.scenario == NOISY:
            fails = record.spec.weighter.name == "fragile"
            records[at] = (
                replace(record, status="oom", reason="no room", metrics={})
                if fails
                else undefined(record)
            )
    found = rows_of(board, records)
    assert found["plain"].standing.startswith(
        "balanced accuracy is undefined in 5 of 10 cells: all"
    )
    assert found["fragile"].standing == "balanced accuracy is undefined in 5 of 10 cells"
    assert found["fragile"].failures == {"oom": 5}
    assert [one.score is None for one in found["fragile"].scenarios] == [False, True]
    assert {row.score for row in found.values()} == {None}


def test_a_row_with_missing_cells_is_listed_and_not_ranked():
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})[:-1]
    found = rows_of(board, records)
    assert found["clever"].standing == "9 of 10 cells were run"
    assert found["clever"].ranks is None
    assert found["clever"].p is None
    assert found["clever"].score.blocks == 4, "the incomplete seed is left out as a whole"
    assert found["clever"].difference.blocks == 4
    assert found["plain"].ranks == (1, 1)


def test_what_a_record_says_against_a_rank_takes_it_with_the_reason():
    board = make_board(("plain", "longer"))
    records = make_records(board, {"plain": 0.7})
    records += make_records(board, {"longer": 0.99})[:-1]
    records.append(make_record("longer", NOISY, 4, 0.99, unranked="updated 60 times"))
    table = build(board, records)
    longer = next(row for row in table.rows if row.label == "longer")
    assert longer.standing == "updated 60 times"
    assert longer.ranks is None
    assert not longer.has_rank
    assert next(row for row in table.rows if row.label == "plain").ranks == (1, 1)
    assert "longer (updated 60 times)" in render_markdown(table)


@pytest.mark.parametrize(
    ("seeds", "standing"),
    [
        (1, "1 seed; 3 are needed"),
        (2, "2 seeds; 3 are needed"),
        (3, "provisional"),
        (4, "provisional"),
        (5, "ranked"),
    ],
)
def test_ranks_need_seeds(seeds, standing):
    board = make_board(seeds=seeds)
    found = rows_of(board, make_records(board, {"plain": 0.7, "clever": 0.8}))
    assert {row.standing for row in found.values()} == {standing}
    assert (found["clever"].ranks is None) == (seeds < 3)
    assert found["clever"].difference.mean == pytest.approx(0.1, abs=0.01)


def test_who_uses_the_truth_or_ran_inline_is_never_ranked():
    board = make_board(weighters=["plain", "cheat", "debugged"])
    records = make_records(board, {"plain": 0.7})
    records += make_records(board, {"cheat": 0.99}, grants={"truth": "all labels"})
    records += make_records(board, {"debugged": 0.9}, trusted=False)
    found = rows_of(board, records)
    assert found["cheat"].standing == "uses the true labels"
    assert found["debugged"].standing == "run in one process (--executor inline)"
    assert found["plain"].ranks == (1, 1)
    assert list(found) == ["plain", "cheat", "debugged"]


def test_failures_where_nothing_counts_put_nobody_behind():
    board = make_board(weighters=["plain", "fragile"])
    records = make_records(board, {"plain": 0.7, "fragile": 0.7})
    for at, record in enumerate(records):
        if record.spec.scenario == NOISY:
            records[at] = changed(record, "corruption", identifiable=False)
            if record.spec.weighter.name == "fragile":
                records[at] = replace(records[at], status="oom", metrics={})
    found = rows_of(board, records)
    assert found["fragile"].failures == {"oom": 5}
    assert {row.ranks for row in found.values()} == {(1, 2)}


def test_a_control_is_compared_over_its_own_seeds_and_never_ranked():
    board = make_board(scenarios=[make_scenario()], controls=["yardstick"])
    hard = [0.0, 0.2, -0.2, 0.1, -0.1]
    records = [
        make_record(name, seed=seed, score=score + hard[seed] + 0.01 * (seed == 1))
        for name, score in (("plain", 0.5), ("clever", 0.6))
        for seed in board.seeds
    ]
    records += [make_record("yardstick", seed=seed, score=0.7 + hard[seed]) for seed in range(3)]
    found = rows_of(board, records)
    control = found["yardstick"]
    assert (control.standing, control.ranks, control.p) == ("control", None, None)
    assert (control.covered, control.planned, found["plain"].planned) == (3, 3, 5)
    assert control.score.mean == pytest.approx(0.7)
    assert control.difference.blocks == 3
    assert control.difference.mean == pytest.approx(0.2 - 0.01 / 3)
    assert {label: row.ranks for label, row in found.items() if row.has_rank} == {
        "clever": (1, 1),
        "plain": (2, 2),
    }
    assert list(found) == ["clever", "plain", "yardstick"], "also where it scores best"


def test_over_several_data_sets_a_control_meets_the_reference_at_its_own_seeds():
    scenarios = [make_scenario(), make_scenario(dataset="digits")]
    board = make_board(weighters=["plain"], scenarios=scenarios, controls=["yardstick"])
    records = [
        make_record(name, scenario, seed, 0.5 + gain + (0.3 if seed > 2 else 0.0))
        for name, gain in (("plain", 0.0), ("yardstick", 0.1))
        for scenario in scenarios
        for seed in board.seeds[: None if name == "plain" else 3]
    ]
    control = rows_of(board, records)["yardstick"]
    assert control.difference.blocks == 2
    assert control.difference.mean == pytest.approx(0.1)


def test_a_control_that_lacks_cells_is_still_a_control():
    board = make_board(controls=["yardstick"], seeds=2)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    row = rows_of(board, records)["yardstick"]
    assert (row.standing, row.covered, row.planned) == ("control", 0, 4)
