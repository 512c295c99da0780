from __future__ import annotations

import numpy as np
import pytest

from benchbase.judging.relabelling import SCORES, describe_levels, finished_models, mean_height


def test_the_last_checkpoint_at_each_number_of_labels_is_the_finished_model():
    assert finished_models([0, 0, 0, 20, 20, 40]) == {0: 2, 20: 4, 40: 5}
    assert finished_models([]) == {}


def test_the_area_is_that_of_trapezoids_over_the_span_of_labels():
    levels, heights = [0, 10, 40], [0.5, 0.7, 0.8]
    expected = np.trapezoid(heights, levels) / 40
    assert mean_height(levels, heights) == pytest.approx(expected)
    assert mean_height([3, 9], [0.6, 0.6]) == pytest.approx(0.6)


def test_one_level_spans_no_area():
    assert mean_height([5], [0.9]) is None


def test_a_block_holds_the_scores_at_each_level_and_their_areas():
    scores = [{**dict.fromkeys(SCORES, height), "mcc": 0.1} for height in (0.5, 0.7)]
    block = describe_levels([0, 20], scores)
    assert block == {
        "labels_bought": [0, 20],
        **{name: [0.5, 0.7] for name in SCORES},
        "area": dict.fromkeys(SCORES, pytest.approx(0.6)),
    }
