from __future__ import annotations

import numpy as np
import pytest

from benchbase.judging.weights import FALSE_POSITIVE_RATES, diagnose_weights, weight_auroc


def test_weights_that_know_the_noise_have_an_auroc_of_one():
    observed, true = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    weights = np.array([0.9, 0.1, 0.8, 0.2], dtype=np.float32)
    found = diagnose_weights(weights, observed, true, 2)
    assert found["auroc"] == 1.0
    assert found["auprc"] == 1.0
    assert found["auroc_per_class"] == [1.0, 1.0]
    assert found["roc"] == found["roc_per_class"][1] == [1.0] * len(FALSE_POSITIVE_RATES)
    assert found["effective_sample_size"] == pytest.approx(4.0 / (4 * 1.5))


def test_the_curve_of_weights_that_know_nothing_is_the_diagonal():
    observed, true = np.zeros(8, dtype=np.int64), np.array([0, 1] * 4)
    found = diagnose_weights(np.ones(8, np.float32), observed, true, 2)
    assert found["roc"] == pytest.approx(FALSE_POSITIVE_RATES, abs=1e-4)
    assert found["roc_per_class"][1] is None, "no image is said to be of class 1"


def test_the_spread_of_weights_is_told_relative_to_their_mean():
    labels = np.zeros(101, dtype=np.int64)
    weights = np.linspace(0, 200, 101).astype(np.float32)
    found = diagnose_weights(weights, labels, labels, 1)
    assert found["quantiles"] == pytest.approx([0, 0.1, 0.5, 1, 1.5, 1.9, 2])
    assert found["deviation"] == pytest.approx(weights.std() / 100, rel=1e-5)


def test_weights_that_are_all_zero_have_no_spread():
    labels = np.zeros(4, dtype=np.int64)
    found = diagnose_weights(np.zeros(4, np.float32), labels, labels, 1)
    assert found["deviation"] is None
    assert found["quantiles"] is None


def test_weights_above_one_are_ranked_and_not_squashed():
    right = np.array([True, True, False, False])
    weights = np.array([400.0, 300.0, 200.0, 100.0], dtype=np.float32)
    assert weight_auroc(weights, right) == 1.0
    assert weight_auroc(-weights, right) == 0.0


def test_constant_weights_say_nothing_and_no_noise_has_no_auroc():
    right = np.array([True, False, True])
    assert weight_auroc(np.ones(3, np.float32), right) == 0.5
    assert weight_auroc(np.ones(3, np.float32), np.array([True] * 3)) is None


def test_rows_never_seen_are_counted_and_left_out():
    observed = np.array([0, 1, 1])
    weights = np.array([1.0, 1.0, np.nan], dtype=np.float32)
    found = diagnose_weights(weights, observed, observed, 2)
    assert found["unseen"] == 1
    assert found["effective_sample_size"] == pytest.approx(1.0)


def test_clean_minority_rows_pushed_near_zero_are_told():
    true = np.array([0] * 8 + [1] * 2)
    weights = np.array([1.0] * 8 + [0.0, 1.0], dtype=np.float32)
    found = diagnose_weights(weights, true, true, 2)
    assert found["clean_minority_near_zero"] == 0.5
    assert found["minority_mass"] == pytest.approx(1 / 9)


def test_balanced_classes_have_no_minority():
    true = np.array([0, 0, 1, 1])
    found = diagnose_weights(np.ones(4, np.float32), true, true, 2)
    assert found["minority_mass"] is None
    assert found["clean_minority_near_zero"] is None
