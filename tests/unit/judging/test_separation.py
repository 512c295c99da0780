"""Which methods are told apart: hand-made tables, scipy, and error rates by simulation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats as scipy_stats

from benchbase.judging.separation import (
    blocks_needed,
    least_difference,
    rank_ranges,
    spread,
    surely_ahead,
)
from benchbase.judging.statistics import estimate
from benchbase.seeding import numpy_stream


def tables(deviations: np.ndarray, blocks: int = 5) -> Iterator[np.ndarray]:
    """Draw tables of twelve equal methods."""
    rng = numpy_stream(5, "tables")
    for _ in range(600):
        yield rng.normal(0, 1, (1, blocks)) + rng.normal(0, deviations, (blocks, 12)).T


def told_apart(deviations: np.ndarray) -> float:
    """Give the share of these tables in which some methods are told apart."""
    return float(np.mean([surely_ahead(scores).any() for scores in tables(deviations)]))


def test_equal_methods_are_told_apart_in_one_table_of_twenty():
    assert 0.03 < told_apart(np.ones(12)) < 0.075


def test_pair_by_pair_they_are_told_apart_in_most_tables():
    wrong = [
        any(not estimate(a - b).covers_zero for a, b in itertools.combinations(scores, 2))
        for scores in itertools.islice(tables(np.ones(12)), 60)
    ]
    assert np.mean(wrong) > 0.7


def test_unequal_spreads_raise_that_rate_little():
    assert told_apart(np.linspace(0.5, 1.5, 12)) < 0.12


def test_ranks_are_ranges_where_the_differences_leave_them_open():
    common = np.array([0.0, 0.05, -0.04, 0.02, 0.01])
    best, middle, other, worst = (
        0.9 + common,
        0.8 + common + [0.001, -0.001, 0.002, 0.0, -0.002],
        0.8 + common + [-0.001, 0.002, 0.0, 0.001, -0.001],
        0.5 + common,
    )
    ahead = surely_ahead(np.stack([middle, worst, best, other]))
    assert rank_ranges(ahead) == [(2, 3), (4, 4), (1, 1), (2, 3)]


def test_two_methods_are_told_apart_exactly_where_the_paired_t_test_does():
    rng = numpy_stream(6, "pairs")
    for _ in range(50):
        one, other = rng.normal(0, 1, 5), rng.normal(1.2, 1, 5)
        p = scipy_stats.ttest_rel(one, other).pvalue
        assert surely_ahead(np.stack([one, other])).any() == (p < 0.05)


def test_equal_methods_share_the_whole_range():
    assert rank_ranges(surely_ahead(np.full((3, 5), 0.7))) == [(1, 3)] * 3
    assert rank_ranges(surely_ahead(np.full((1, 5), 0.7))) == [(1, 1)]
    assert rank_ranges(surely_ahead(np.zeros((0, 5)))) == []


def test_the_least_difference_is_tukeys():
    # Three methods, five blocks: q(0.95; 3, 8) = 4.041 (published tables), by 0.02 / sqrt(5).
    assert least_difference(0.02, 3, 5) == pytest.approx(4.041 * 0.02 / 5**0.5, rel=1e-3)


def test_more_tables_at_once_ask_for_more():
    # With two methods the range is the t test: 2 degrees, 5 % shared by four tables.
    t = scipy_stats.t.ppf(1 - 0.05 / 4 / 2, 2)
    assert least_difference(0.02, 2, 3, tables=4) == pytest.approx(t * 0.02 * (2 / 3) ** 0.5)


def test_the_spread_is_what_method_and_block_leave_over():
    rng = numpy_stream(7, "spread")
    scores = rng.normal(0, 5, (30, 1)) + rng.normal(0, 5, (1, 40)) + rng.normal(0, 0.3, (30, 40))
    assert spread(scores) == pytest.approx(0.3, rel=0.05)


def test_as_many_blocks_are_needed_as_tell_two_apart_and_not_one_less():
    needed = blocks_needed(0.01, 0.01, 12)
    assert needed is not None
    assert least_difference(0.01, 12, needed) < 0.01 <= least_difference(0.01, 12, needed - 1)
    assert blocks_needed(0.0001, 0.01, 12) is None
    assert blocks_needed(1.0, 0.01, 2) == 2
