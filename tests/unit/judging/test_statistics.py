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
    least_of_another,
    ratio,
    sign_flip_p,
    smallest_sign_flip_p,
)
from benchbase.seeding import numpy_stream


def test_the_interval_of_a_mean_is_that_of_the_t_distribution():
    values = [0.81, 0.84, 0.79, 0.9]
    low, high = scipy_stats.t.interval(0.95, 3, loc=np.mean(values), scale=scipy_stats.sem(values))
    found = estimate(values)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))


def test_student_s_own_example_has_the_interval_that_is_known_of_it():
    # Hours of sleep gained by ten patients, two drugs: Student, "The probable error of a mean",
    # Biometrika 6 (1908), p. 20.
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    found = estimate(second - first)
    assert found is not None
    assert found.mean == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858))


def test_fisher_s_count_of_signs_is_reached():
    # Darwin's maize, heights in eighths of an inch: Fisher, "The design of experiments" (1935),
    # section 21: of 32,768 sums of signs 1,726 are as large as the one that came.
    maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip_p(maize) == 1726 / 32768


def test_one_block_has_no_interval_and_none_has_no_estimate():
    assert estimate([0.5]) == Estimate(0.5, None, None, 1, (0.5,))
    assert estimate([0.5, 0.3]) == Estimate(0.4, None, None, 2, (0.3, 0.5))
    assert estimate([]) is None
    assert Estimate(0.5, None, None, 1).covers_zero


def test_a_paired_difference_covers_zero_only_where_its_interval_does():
    assert not Estimate(0.2, 0.1, 0.3, 5).covers_zero
    assert Estimate(0.2, -0.1, 0.5, 5).covers_zero


def test_another_block_stays_above_what_is_expected_as_often_as_it_says():
    rng = numpy_stream(0, "another block")
    missed = 0
    for values in rng.normal(2, 3, (4000, 6)):
        spread = float(np.std(values[:5], ddof=1))
        missed += values[5] < least_of_another(values[:5], spread, 4, 0.05)
    assert 0.04 < missed / 4000 < 0.06
    by_hand = 2.0 - scipy_stats.t.ppf(0.95, 7) * 3.0 * (1 + 1 / 4) ** 0.5
    assert least_of_another([1.0, 2.0, 2.0, 3.0], 3.0, 7, 0.05) == pytest.approx(by_hand)


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


def test_the_interval_of_a_ratio_is_fiellers_worked_by_hand():
    # Means 2 and 4, variances 1 and 0.75, covariance 0.75; t(2) = 4.302653, t^2 / 3 = 6.170939:
    # (16 - 4.628204) r^2 - 2 (8 - 4.628204) r + (4 - 6.170939) = 0.
    found = ratio([1.0, 2.0, 3.0], [3.5, 3.5, 5.0])
    assert found is not None
    assert found.mean == 0.5
    centre, half = 3.371796 / 11.371796, (3.371796**2 + 11.371796 * 2.170939) ** 0.5 / 11.371796
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), rel=1e-5)


def test_a_ratio_to_what_may_be_zero_has_no_value():
    assert ratio([1.0, 2.0, 3.0], [0.1, -0.2, 0.3]) is None
    assert ratio([1.0, 2.0], [3.0, 3.1]) is None
    assert ratio([], []) is None


def test_the_interval_of_a_ratio_covers_with_five_blocks_and_the_bootstrap_does_not():
    rng = numpy_stream(4, "ratio")
    tables, blocks, truth = 1500, 5, 0.4
    covered = resampled = 0
    for _ in range(tables):
        bottom = rng.normal(10, 3, blocks)
        top = truth * 10 + 0.3 * (bottom - 10) + rng.normal(0, 2, blocks)
        found = ratio(top, bottom)
        covered += found is None or (found.low or 0) <= truth <= (found.high or 0)
        drawn = rng.integers(0, blocks, (300, blocks))
        low, high = np.quantile(top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1), [0.025, 0.975])
        resampled += low <= truth <= high
    assert 0.93 < covered / tables < 0.97
    assert resampled / tables < 0.87


@pytest.mark.parametrize(
    ("truth", "counts"),
    [
        ([0.9, 0.6, 0.97], [200, 80, 40]),
        ([0.99] * 10, [100] * 10),
        ([0.3, 0.99, 0.99, 0.99, 0.99], [10, 500, 500, 500, 500]),
    ],
    ids=["mixed", "near one", "one small class"],
)
def test_the_interval_of_balanced_accuracy_covers_as_often_as_it_says(truth, counts):
    rng = numpy_stream(3, "coverage")
    truth, counts = np.array(truth), np.array(counts)
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
