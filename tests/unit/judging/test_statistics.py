from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats as scipy_stats

from benchbase.judging.statistics import (
    Estimate,
    balanced_accuracy_interval,
    estimate,
    holm,
    rank_ranges,
    sign_flip_p,
    smallest_sign_flip_p,
    surely_ahead,
)
from benchbase.seeding import numpy_stream


def test_the_interval_of_a_mean_is_that_of_the_t_distribution():
    values = [0.81, 0.84, 0.79, 0.9]
    low, high = scipy_stats.t.interval(0.95, 3, loc=np.mean(values), scale=scipy_stats.sem(values))
    found = estimate(values)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))


def test_one_block_has_no_interval_and_none_has_no_estimate():
    assert estimate([0.5]) == Estimate(0.5, None, None, 1, (0.5,))
    assert estimate([0.5, 0.3]) == Estimate(0.4, None, None, 2, (0.3, 0.5))
    assert estimate([]) is None
    assert Estimate(0.5, None, None, 1).covers_zero


def test_a_paired_difference_covers_zero_only_where_its_interval_does():
    assert not Estimate(0.2, 0.1, 0.3, 5).covers_zero
    assert Estimate(0.2, -0.1, 0.5, 5).covers_zero


def test_the_sign_flip_test_counts_all_sign_patterns():
    differences = [0.3, -0.1, 0.2, 0.05]
    observed = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=4)
    ]
    assert sign_flip_p(differences) == np.mean([s >= observed - 1e-12 for s in sums])


def test_the_sign_flip_test_agrees_with_scipy():
    differences = numpy_stream(1, "test").normal(0.3, 1, size=10)
    expected = scipy_stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p(differences) == pytest.approx(expected.pvalue)


def test_differences_of_one_sign_reach_the_smallest_p():
    assert sign_flip_p([0.1] * 6) == smallest_sign_flip_p(6) == pytest.approx(0.03125)
    assert sign_flip_p([0.0] * 6) == 1.0
    assert smallest_sign_flip_p(0) == 1.0


def test_many_blocks_are_drawn_reproducibly_near_the_exact_value():
    differences = np.linspace(-1, 1.6, 20)
    drawn = sign_flip_p(differences)
    assert drawn == sign_flip_p(differences)
    exact = scipy_stats.permutation_test(
        (differences,),
        np.sum,
        permutation_type="samples",
        n_resamples=50_000,
        rng=numpy_stream(2, "test"),
    ).pvalue
    assert drawn == pytest.approx(exact, abs=0.015)
    assert sign_flip_p([1.0] * 20) == pytest.approx(smallest_sign_flip_p(20), abs=1e-4)


def test_holm_adjusts_as_in_a_worked_example():
    # 0.01, 0.02, 0.03, 0.04 by 4, 3, 2, 1, made monotone.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_ranks_are_ranges_where_paired_intervals_leave_them_open():
    common = np.array([0.0, 0.05, -0.04, 0.02, 0.01])
    best, middle, other, worst = (
        0.9 + common,
        0.8 + common + [0.001, -0.001, 0.002, 0.0, -0.002],
        0.8 + common + [-0.001, 0.002, 0.0, 0.001, -0.001],
        0.5 + common,
    )
    ahead = surely_ahead(np.stack([middle, worst, best, other]))
    assert rank_ranges(ahead) == [(2, 3), (4, 4), (1, 1), (2, 3)]


def test_pairing_separates_what_unpaired_intervals_would_not():
    spread = np.array([0.0, 0.3, -0.3, 0.2, -0.1])
    ahead = surely_ahead(np.stack([0.52 + spread, 0.5 + spread + [0.001, 0, 0, 0, -0.001]]))
    assert ahead.tolist() == [[False, True], [False, False]]


def test_equal_methods_share_the_whole_range():
    assert rank_ranges(surely_ahead(np.full((3, 5), 0.7))) == [(1, 3)] * 3


def test_the_interval_of_balanced_accuracy_covers_as_often_as_it_says():
    rng = numpy_stream(3, "coverage")
    truth, counts = np.array([0.9, 0.6, 0.97]), np.array([200, 80, 40])
    covered = 0
    for _ in range(1000):
        recalls = rng.binomial(counts, truth) / counts
        low, high = balanced_accuracy_interval(recalls, counts)
        covered += low <= truth.mean() <= high
    assert 930 <= covered <= 975


def test_the_interval_of_balanced_accuracy_is_wilsons_for_one_class():
    expected = scipy_stats.binomtest(45, 50).proportion_ci(method="wilson")
    assert balanced_accuracy_interval([0.9], [50]) == pytest.approx((expected.low, expected.high))


def test_a_perfect_score_keeps_a_width_and_absent_classes_are_left_out():
    low, high = balanced_accuracy_interval([1.0, 1.0], [30, 30])
    assert low < 0.97
    assert high == 1.0
    assert balanced_accuracy_interval([0.9, np.nan], [50, 0]) == balanced_accuracy_interval(
        [0.9], [50]
    )
    with pytest.raises(ValueError, match="at least one class"):
        balanced_accuracy_interval([np.nan], [0])
