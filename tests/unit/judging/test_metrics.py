from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from benchbase.judging import metrics


def sure(predicted: list[int], num_classes: int, margin: float = 4.0) -> np.ndarray:
    """Logits that predict these classes."""
    return np.eye(num_classes, dtype=np.float32)[predicted] * margin


def test_scores_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    scores = metrics.score(sure([0, 0, 0, 1, 1, 0], 2), labels)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["recall_per_class"] == pytest.approx([0.75, 0.5])
    assert scores["balanced_accuracy"] == pytest.approx(0.625)
    assert scores["rarest_recall"] == pytest.approx(0.5)
    # F1 of class 0: 3 of 4 predicted right, 3 of 4 found; of class 1: 1 of 2, 1 of 2.
    assert scores["macro_f1"] == pytest.approx((0.75 + 0.5) / 2)
    wrong = 1 / (1 + np.exp(4.0))
    right = 1 - wrong
    brier = (4 * 2 * wrong**2 + 2 * 2 * right**2) / 6
    assert scores["brier"] == pytest.approx(brier, rel=1e-5)


def test_scores_agree_with_scikit_learn():
    rng = np.random.Generator(np.random.PCG64(0))
    labels = rng.integers(0, 4, 300)
    logits = rng.normal(size=(300, 4)).astype(np.float32)
    logits[np.arange(300), labels] += 1.0
    odds = np.exp(logits.astype(float))
    probabilities = odds / odds.sum(1, keepdims=True)
    scores = metrics.score(logits, labels)
    predicted = logits.argmax(1)
    assert scores["balanced_accuracy"] == pytest.approx(
        sk.balanced_accuracy_score(labels, predicted), abs=1e-6
    )
    assert scores["mcc"] == pytest.approx(sk.matthews_corrcoef(labels, predicted), abs=1e-6)
    assert scores["macro_auroc"] == pytest.approx(
        sk.roc_auc_score(labels, probabilities, multi_class="ovr"), abs=1e-6
    )
    assert scores["macro_auprc"] == pytest.approx(
        np.mean([sk.average_precision_score(labels == c, probabilities[:, c]) for c in range(4)]),
        abs=1e-5,
    )


def test_a_class_without_a_test_image_does_not_count():
    labels = np.array([0, 0, 1, 1])
    scores = metrics.score(sure([0, 0, 1, 2], 3), labels)
    assert scores["balanced_accuracy"] == pytest.approx(0.75)
    assert np.isnan(scores["recall_per_class"][2])


def test_weights_that_know_the_noise_have_an_auroc_of_one():
    observed, true = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    weights = np.array([0.9, 0.1, 0.8, 0.2], dtype=np.float32)
    found = metrics.diagnose_weights(weights, observed, true, 2)
    assert found["auroc"] == 1.0
    assert found["auprc"] == 1.0
    assert found["auroc_per_class"] == [1.0, 1.0]
    assert found["effective_sample_size"] == pytest.approx(4.0 / (4 * 1.5))


def test_weights_above_one_are_ranked_and_not_squashed():
    right = np.array([True, True, False, False])
    weights = np.array([400.0, 300.0, 200.0, 100.0], dtype=np.float32)
    assert metrics.weight_auroc(weights, right) == 1.0
    assert metrics.weight_auroc(-weights, right) == 0.0


def test_constant_weights_say_nothing_and_no_noise_has_no_auroc():
    right = np.array([True, False, True])
    assert metrics.weight_auroc(np.ones(3, np.float32), right) == 0.5
    assert metrics.weight_auroc(np.ones(3, np.float32), np.array([True] * 3)) is None


def test_rows_never_seen_are_counted_and_left_out():
    observed = np.array([0, 1, 1])
    weights = np.array([1.0, 1.0, np.nan], dtype=np.float32)
    found = metrics.diagnose_weights(weights, observed, observed, 2)
    assert found["unseen"] == 1
    assert found["effective_sample_size"] == pytest.approx(1.0)


def test_clean_minority_rows_pushed_near_zero_are_told():
    true = np.array([0] * 8 + [1] * 2)
    weights = np.array([1.0] * 8 + [0.0, 1.0], dtype=np.float32)
    found = metrics.diagnose_weights(weights, true, true, 2)
    assert found["clean_minority_near_zero"] == 0.5
    assert found["minority_mass"] == pytest.approx(1 / 9)


def test_balanced_classes_have_no_minority():
    true = np.array([0, 0, 1, 1])
    found = metrics.diagnose_weights(np.ones(4, np.float32), true, true, 2)
    assert found["minority_mass"] is None
    assert found["clean_minority_near_zero"] is None
