"""Shares of the headroom: worked by hand, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.leaderboard.headroom import BY_CONSTRUCTION, CANNOT_TELL, headroom

SEEDS = np.array([0.00, 0.02, -0.01, 0.01, 0.03])
REFERENCE = np.stack([0.80 + SEEDS, 0.60 + SEEDS, 0.50 + SEEDS])
CEILING = REFERENCE + np.array([[0.001], [0.10], [0.30]])


def measured(gain, ceiling=CEILING):
    return headroom(REFERENCE + gain, REFERENCE, ceiling, "perfect", {0})


def test_the_share_over_all_is_the_ratio_of_sums():
    found = measured(np.array([[0.5], [0.02], [0.18]]))
    assert [share.reason for share in found.scenarios] == [BY_CONSTRUCTION, "", ""]
    assert found.scenarios[1].value.mean == pytest.approx(0.2)
    assert found.scenarios[2].value.mean == pytest.approx(0.6)
    # (2 + 18) of (10 + 30) points, not the mean of a fifth and three fifths.
    assert found.overall.value.mean == pytest.approx(0.5)
    assert found.overall.value.low == pytest.approx(0.5)
    assert found.ceiling == "perfect"


def test_pairing_by_seed_makes_the_interval():
    wobble = np.array([0.01, -0.01, 0.02, 0.0, -0.02])
    value = measured(np.stack([0 * wobble, 0.02 + wobble, 0.18 + wobble])).overall.value
    assert value.low < 0.5 < value.high
    assert value.mean == pytest.approx(0.5)
    assert value.blocks == 5


def test_a_scenario_whose_headroom_may_be_zero_tells_nothing_and_enters_no_sum():
    unclear = CEILING.copy()
    unclear[2] = REFERENCE[2] + [0.1, -0.1, 0.2, -0.05, 0.02]
    found = measured(np.array([[0.0], [0.02], [0.18]]), unclear)
    assert found.scenarios[2].value is None
    assert found.scenarios[2].reason == CANNOT_TELL
    assert found.overall.value.mean == pytest.approx(0.2)


def test_a_ceiling_below_the_reference_is_no_headroom():
    found = measured(np.zeros((3, 1)), REFERENCE - 0.1)
    assert found.overall.value is None
    assert found.overall.reason == CANNOT_TELL


def test_seeds_that_lack_a_cell_are_left_out():
    gain = np.broadcast_to([[0.0], [0.05], [0.15]], (3, 5)).copy()
    gain[1, 4] = np.nan
    found = measured(gain)
    assert found.scenarios[1].value.blocks == 4
    assert found.overall.value.blocks == 4
    assert found.overall.value.mean == pytest.approx(0.5)


def test_more_than_the_ceiling_is_more_than_one():
    assert measured(np.array([[0.0], [0.2], [0.4]])).overall.value.mean == pytest.approx(1.5)
