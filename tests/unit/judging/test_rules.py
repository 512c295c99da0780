from __future__ import annotations

import numpy as np
import pytest

from benchbase.judging.metrics import ONE_CLASS
from benchbase.judging.rules import average, best, fixed, mean


def test_the_earliest_checkpoint_wins_a_tie():
    found = best(
        {
            "test": [0.5, 0.9, 0.6, 0.9, 0.7, 0.7, 0.7],
            "validation_noisy": [0.1, 0.2, 0.4, 0.4, 0.3, 0.2, 0.1],
            "validation_clean": [0.1, 0.2, 0.4, 0.5, 0.3, 0.2, 0.1],
        }
    )
    assert found == {"val_noisy": 2, "val_clean": 3, "oracle": 1}


def test_the_same_counts_summed_in_another_order_are_a_tie():
    one, other = (0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3)
    assert one != other
    curve = sorted([one, other])
    parts = ("test", "validation_noisy", "validation_clean")
    assert set(best(dict.fromkeys(parts, curve)).values()) == {0}


def test_nothing_is_chosen_by_a_score_that_does_not_exist():
    parts = {"test": [0.5, 0.6], "validation_noisy": [ONE_CLASS] * 2, "validation_clean": []}
    assert best(parts) == {"oracle": 1}


def test_the_last_five_checkpoints_are_those_that_there_are():
    assert fixed(7) == {"last": [6], "last5": [2, 3, 4, 5, 6]}
    assert fixed(2)["last5"] == [0, 1]


def test_scores_are_averaged_and_only_balanced_accuracy_has_an_interval():
    scores = [
        {"balanced_accuracy": 0.6, "mcc": 0.2, "recall_per_class": [0.5, 0.7]},
        {"balanced_accuracy": 0.8, "mcc": 0.4, "recall_per_class": [0.7, 0.9]},
    ]
    averaged = average(scores, np.array([50, 50]))
    assert averaged["balanced_accuracy"]["value"] == pytest.approx(0.7)
    low, high = averaged["balanced_accuracy"]["interval"]
    assert low < 0.7 < high
    assert averaged["mcc"] == {"value": pytest.approx(0.3), "interval": None}
    assert averaged["recall_per_class"]["value"] == pytest.approx([0.6, 0.8])


def test_a_score_that_one_checkpoint_lacks_is_null_with_the_reason():
    assert mean([0.5, ONE_CLASS]) == {
        "value": None,
        "interval": None,
        "reason": "all images are of one class",
    }
