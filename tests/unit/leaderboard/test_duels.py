from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchbase.errors import UsageError
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.duels import duel, in_words, labels_of
from tests.unit.made_records import CLEAN, NOISY, make_board, make_record, make_records

BOARD = make_board(("plain", "clever"), [CLEAN, NOISY], seeds=6)


def records(scores, scenario=CLEAN, name="clever"):
    return [make_record(name, scenario, seed, score) for seed, score in enumerate(scores)]


def test_the_difference_is_scipy_s_paired_one():
    mine, theirs = [0.81, 0.84, 0.79, 0.85, 0.9, 0.8], [0.80, 0.79, 0.80, 0.78, 0.82, 0.76]
    board = make_board(("plain", "clever"), [CLEAN], seeds=6)
    found = duel(board, [*records(mine), *records(theirs, name="plain")], "clever", "plain")
    expected = stats.ttest_rel(mine, theirs).confidence_interval()
    assert (found.seeds.low, found.seeds.high) == pytest.approx((expected.low, expected.high))
    tested = stats.permutation_test(
        (np.subtract(mine, theirs),), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert found.p == pytest.approx(tested.pvalue)


def test_scenarios_of_a_data_set_are_averaged_before_they_are_a_block():
    other = make_board(("plain", "clever"), [CLEAN, NOISY, CLEAN_ELSEWHERE], seeds=3)
    found = duel(other, make_records(other, {"plain": 0.7, "clever": 0.8}), "clever", "plain")
    assert [name for name, _ in found.data_sets] == ["nuclei", "elsewhere"]
    assert found.seeds.blocks == 3
    [*_, last] = in_words([found], "clever", "plain")
    assert last.startswith("Over 2 data sets: clever against plain +10.1 points (too few")
    assert "the smallest p that it can give is 0.500" in last


CLEAN_ELSEWHERE = type(CLEAN)(
    dataset="elsewhere", imbalance=CLEAN.imbalance, imbalance_options=CLEAN.imbalance_options
)


def test_boards_are_told_in_words_with_their_numbers():
    found = duel(BOARD, make_records(BOARD, {"plain": 0.7, "clever": 0.8}), "clever", "plain")
    first, *scenarios = in_words([found], "clever", "plain")
    assert first == (
        "demo: clever is better than plain, +10.0 points (95 %: +9.8 to +10.2); 6 seeds, these "
        "tasks only; sign-flip p = 0.031 (the smallest possible is 0.031)."
    )
    assert [line.partition(":")[0].strip() for line in scenarios] == [
        "labels as given, 1",
        "symmetric 0.4, 1",
    ]
    both = [*in_words([found, found], "clever", "plain")]
    assert "sign-flip p = 0.062, Holm-adjusted over 2 boards" in both[0]


def test_who_has_no_rank_there_is_told_with_the_reason():
    rows = make_records(BOARD, {"plain": 0.7})
    rows += make_records(BOARD, {"clever": 0.9}, unranked="updated 60 times")
    found = duel(BOARD, rows, "clever", "plain")
    assert found.unranked == (("clever", "updated 60 times"),)
    assert [*in_words([found], "clever", "plain")][1] == (
        "  clever has no rank there: updated 60 times."
    )


def test_a_failed_cell_scores_nothing_and_is_told():
    rows = [*records([0.8] * 5), *records([0.7] * 6, name="plain")]
    board = make_board(("plain", "clever"), [CLEAN], seeds=6)
    failing = duel(board, [*rows, make_record("clever", CLEAN, 5, status="oom")], "clever", "plain")
    assert failing.failed == 1
    assert "  1 of their cells failed and score 0." in [*in_words([failing], "clever", "plain")]


def test_methods_without_records_or_a_common_seed_are_refused():
    rows = [make_record("clever", CLEAN, 0), make_record("plain", CLEAN, 1)]
    board = make_board(("plain", "clever"), [CLEAN], seeds=2)
    assert labels_of(board, rows) == ["plain", "clever"]
    with pytest.raises(UsageError, match=r"'demo': .*'clevr'.*clever"):
        duel(board, rows, "clevr", "plain")
    with pytest.raises(UsageError, match="share no seed"):
        duel(board, rows, "clever", "plain")


def test_correlated_cells_of_a_data_set_do_not_make_false_positives():
    rng = np.random.Generator(np.random.PCG64(0))
    sets, cells, seeds = 6, 6, 5
    draws = rng.normal(0, 0.01, (1000, sets, 1, 1)) + rng.normal(0, 0.006, (1000, sets, cells, 1))
    draws = draws + rng.normal(0, 0.006, (1000, sets, cells, seeds))
    blocked = [estimate(each) for each in draws.mean(axis=(2, 3))]
    share = np.mean([not one.covers_zero for one in blocked if one is not None])
    assert 0.03 < share < 0.07


@pytest.mark.slow
def test_equal_methods_differ_in_one_board_of_twenty_though_cells_of_a_seed_are_correlated():
    rng = np.random.Generator(np.random.PCG64(1))
    scenarios, seeds = BOARD.scenarios, BOARD.seeds
    called, flipped, boards = 0, 0, 400
    for _ in range(boards):
        shared = rng.normal(0, 0.02, (2, 1, len(seeds)))
        scores = 0.7 + shared + rng.normal(0, 0.01, (2, len(scenarios), len(seeds)))
        made = [
            make_record(name, scenario, seed, scores[m, s, seed])
            for m, name in enumerate(("plain", "clever"))
            for s, scenario in enumerate(scenarios)
            for seed in seeds
        ]
        found = duel(BOARD, made, "clever", "plain")
        called += not found.seeds.covers_zero
        flipped += found.p <= 0.05
    # Three deviations of so many draws; of the sign-flip's 64 signs two are as extreme: 0.031.
    for times, expected in ((called, 0.05), (flipped, 2 / 64)):
        assert abs(times / boards - expected) < 3 * np.sqrt(expected * (1 - expected) / boards)
