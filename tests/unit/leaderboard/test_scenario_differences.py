"""Differences in single scenarios: worked by hand, and error rates by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchbase.leaderboard.scenario_differences import scenario_differences
from benchbase.seeding import numpy_stream

SEEDS = np.array([0.00, 0.02, -0.01])
REFERENCE = np.stack([0.80 + SEEDS, 0.60 + SEEDS])


def test_each_scenario_has_an_interval_of_its_own_for_all_comparisons():
    wobble = np.array([[0.01, -0.01, 0.0], [0.002, 0.0, -0.002]])
    cells = {"erm": REFERENCE, "other": REFERENCE + np.array([[0.1], [-0.05]]) + wobble}
    found = scenario_differences(cells, "erm", {0, 1})
    assert [*found] == ["other"]
    assert [*found["other"]] == [0, 1]
    for index, mean in enumerate((0.1, -0.05)):
        # Of two methods the range is the paired t interval: here at 97.5 %, 2 degrees of freedom.
        error = wobble[index].std(ddof=1) / 3**0.5
        low, high = stats.t.interval(0.975, 2, loc=mean, scale=error)
        one = found["other"][index]
        assert (one.mean, one.low, one.high) == pytest.approx((mean, low, high))
        assert one.blocks == 3


def test_scenarios_that_do_not_count_ask_for_nothing():
    cells = {"erm": REFERENCE, "other": REFERENCE + np.array([[0.1, 0.11, 0.1], [np.nan] * 3])}
    found = scenario_differences(cells, "erm", {0})["other"]
    assert [*found] == [0]
    assert found[0].verdict == "better"


@pytest.mark.parametrize("cells", [{"other": REFERENCE}, {"erm": REFERENCE}, {}])
def test_without_the_reference_or_another_nothing_is_compared(cells):
    assert scenario_differences(cells, "erm", {0, 1}) == {}


def test_equal_methods_part_from_the_reference_in_one_board_of_forty_at_most():
    """Fewer than of twenty: the range bounds their differences among each other as well.

    The spread differs tenfold between scenarios, as it does where labels are wrong.
    """
    rng, boards = numpy_stream(5, "boards"), 400
    deviations = np.array([0.3, 1.0, 2.0, 3.0])[:, None]
    wrong = 0
    for _ in range(boards):
        common = rng.normal(0, 1, (4, 3))
        cells = {f"m{m}": common + deviations * rng.normal(0, 1, (4, 3)) for m in range(12)}
        found = scenario_differences(cells, "m0", range(4))
        wrong += any(one.verdict != "tied" for each in found.values() for one in each.values())
    assert wrong / boards < 1 / 40
