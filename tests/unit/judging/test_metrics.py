from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from benchbase.judging import metrics
from benchbase.judging.metrics import Undefined


def sure(predicted: list[int], num_classes: int, margin: float = 4.0) -> np.ndarray:
    """Logits that predict these classes."""
    return np.eye(num_classes, dtype=np.float32)[predicted] * margin


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).choice(4, 300, p=[0.5, 0.3, 0.15, 0.05])


@pytest.fixture
def logits(labels) -> np.ndarray:
    """Give predictions with some skill."""
    drawn = np.random.Generator(np.random.PCG64(1)).normal(size=(300, 4)).astype(np.float32)
    drawn[np.arange(300), labels] += 1.0
    return drawn


def test_scores_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    scores = metrics.score(sure([0, 0, 0, 1, 1, 0], 2), labels, [90, 10])
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["recall_per_class"] == pytest.approx([0.75, 0.5])
    assert scores["balanced_accuracy"] == pytest.approx(0.625)
    # F1 of class 0: 3 of 4 predicted right, 3 of 4 found; of class 1: 1 of 2, 1 of 2.
    assert scores["macro_f1"] == pytest.approx((0.75 + 0.5) / 2)
    wrong = 1 / (1 + np.exp(4.0))
    right = 1 - wrong
    brier = (4 * 2 * wrong**2 + 2 * 2 * right**2) / 6
    assert scores["brier"] == pytest.approx(brier, rel=1e-5)


def test_scores_agree_with_scikit_learn_to_the_last_digits(logits, labels):
    scores = metrics.score(logits, labels, [1, 1, 1, 1])
    shares = metrics.probabilities(logits)
    one_hot = np.eye(4)[labels]
    said = logits.argmax(1)
    expected = {
        "accuracy": sk.accuracy_score(labels, said),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, said),
        "macro_f1": sk.f1_score(labels, said, average="macro"),
        "mcc": sk.matthews_corrcoef(labels, said),
        "macro_auroc": sk.roc_auc_score(labels, shares, multi_class="ovr"),
        "macro_auprc": sk.average_precision_score(one_hot, shares, average="macro"),
        "brier": ((shares - one_hot) ** 2).sum(1).mean(),
        "recall_per_class": sk.recall_score(labels, said, average=None),
    }
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value, abs=1e-12), name
    assert scores.keys() == expected.keys() | {"rarest_recall", "ece"}


def test_the_calibration_error_is_that_of_fifteen_bins(logits, labels):
    shares = metrics.probabilities(logits)
    errors = []
    for c in range(4):
        bins = np.minimum((shares[:, c] * 15).astype(int), 14)
        gaps = [
            abs((labels == c)[bins == b].mean() - shares[bins == b, c].mean()) * (bins == b).mean()
            for b in np.unique(bins)
        ]
        errors.append(sum(gaps))
    found = metrics.score(logits, labels, [1] * 4)["ece"]
    assert found == pytest.approx(np.mean(errors), abs=1e-6)


def test_a_probability_of_one_is_in_the_last_bin():
    # One answer that came to 1 and is right, one of .97 that is wrong: one bin, half of it right.
    logits = np.array([[0, 50], [0, np.log(0.97 / 0.03)]])
    labels = np.array([1, 0])
    assert metrics.probabilities(logits)[0, 1] == 1.0
    assert metrics.further_scores(logits, labels)["ece"] == pytest.approx(0.485, abs=1e-6)


def test_classes_that_a_saturated_softmax_ties_are_told_apart_by_their_logits():
    # All probabilities of class 1 are exactly 1; its logits rank three of four pairs right.
    logits = np.array([[0.0, 40.0], [0.0, 60.0], [0.0, 50.0], [0.0, 70.0]])
    labels = np.array([0, 0, 1, 1])
    assert (metrics.probabilities(logits)[:, 1] == 1).all()
    assert metrics.score(logits, labels, [2, 2])["macro_auroc"] == pytest.approx(0.75)


def test_log_odds_order_rows_as_probabilities_do_where_these_can(logits):
    shares = metrics.probabilities(logits)
    assert metrics.log_odds(logits) == pytest.approx(np.log(shares / (1 - shares)), abs=1e-9)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_correlation_of_a_constant_answer_is_zero(num_classes):
    labels = np.array([0] * 9 + [1])
    found = metrics.score(sure([0] * 10, num_classes), labels, [9, 1, 1][:num_classes])["mcc"]
    assert found == sk.matthews_corrcoef(labels, [0] * 10) == 0.0


@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.parametrize("said", [[0, 0, 0], [1, 1, 1], [0, 1, 0]])
def test_the_correlation_with_one_class_is_that_of_scikit_learn(said):
    labels = np.zeros(3, dtype=np.int64)
    found = metrics.score(sure(said, 2), labels, [3, 3])["mcc"]
    assert found == sk.matthews_corrcoef(labels, said)


def test_one_class_has_no_areas_and_the_reason_is_told():
    scores = metrics.score(sure([0, 1], 2), np.array([0, 0]), [5, 5])
    for name in ("macro_auroc", "macro_auprc"):
        assert scores[name] == Undefined("all images are of one class")
    assert scores["balanced_accuracy"] == 0.5


def test_a_class_without_a_test_image_does_not_count():
    labels = np.array([0, 0, 1, 1])
    scores = metrics.score(sure([0, 0, 1, 2], 3), labels, [1, 1, 1])
    assert scores["balanced_accuracy"] == pytest.approx(0.75)
    assert np.isnan(np.array(scores["recall_per_class"])[2])


def test_the_rarest_class_is_that_with_fewest_training_images():
    labels = np.repeat([0, 1, 2, 3], 10)  # a balanced test set
    said = [0] * 10 + [1] * 5 + [0] * 5 + [2] * 1 + [0] * 9 + [3] * 10
    answers = sure(said, 4)

    def rarest(*training: int) -> object:
        return metrics.score(answers, labels, training)["rarest_recall"]

    assert rarest(100, 50, 10, 20) == pytest.approx(0.1)
    assert rarest(100, 10, 10, 20) == pytest.approx((0.5 + 0.1) / 2), "two are the rarest"
    assert rarest(100, 10, 0, 20) == pytest.approx(0.5), "nobody can learn class 2"
    assert rarest(5, 5, 5, 5) == metrics.score(answers, labels, [5] * 4)["balanced_accuracy"]


def test_without_a_class_to_learn_and_to_ask_about_there_is_no_rarest():
    found = metrics.score(sure([0, 1], 2), np.array([0, 0]), [0, 5])["rarest_recall"]
    assert isinstance(found, Undefined)
