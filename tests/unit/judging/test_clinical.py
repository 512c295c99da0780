from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from benchbase.judging.clinical import CostAvoided, ExpectedCost, Sensitivity, board_metrics
from benchbase.judging.metrics import probabilities

LABELS = np.array([0] * 70 + [1] * 30)
LOGITS = np.random.Generator(np.random.PCG64(0)).normal(size=(100, 2)).astype(np.float32)
LOGITS[np.arange(100), LABELS] += 1


@pytest.mark.parametrize("specificity", [0.8, 0.9, 0.95])
def test_sensitivity_is_that_of_scikit_learn_s_curve(specificity):
    alarms, hits, _ = sk.roc_curve(LABELS, probabilities(LOGITS)[:, 1], drop_intermediate=False)
    found = Sensitivity(specificity).score(LOGITS, LABELS)
    assert found == pytest.approx(hits[alarms <= 1 - specificity + 1e-12].max())


@pytest.mark.parametrize(
    ("logits", "labels", "reason"),
    [
        (np.zeros((2, 3)), np.array([0, 1]), "two classes, there are 3"),
        (np.zeros((2, 2)), np.array([1, 1]), "all images are of one class"),
    ],
)
def test_sensitivity_needs_two_classes(logits, labels, reason):
    with pytest.raises(ValueError, match=reason):
        Sensitivity().score(logits, labels)


def test_costs_are_charged_by_true_class_and_answer():
    logits = np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 0]]
    labels = np.array([0, 0, 1, 1, 2])
    costs = ((0, 1, 2), (5, 0, 3), (4, 4, 0))
    # 0 and 1 for class 0, 0 and 3 for class 1, 4 for class 2.
    assert ExpectedCost(costs).score(logits, labels) == pytest.approx(8 / 5)
    # At worst 2, 2, 5, 5 and 4.
    assert CostAvoided(costs).score(logits, labels) == pytest.approx(1 - 8 / 18)


def test_where_all_mistakes_cost_the_same_the_cost_avoided_is_accuracy():
    costs = ((0.0, 7.0), (7.0, 0.0))
    found = CostAvoided(costs).score(LOGITS, LABELS)
    assert found == pytest.approx(sk.accuracy_score(LABELS, LOGITS.argmax(1)))
    assert CostAvoided(costs).score(-np.eye(2)[LABELS], LABELS) == 0.0, "a failed cell's score"


def test_costs_of_other_classes_and_mistakes_that_cost_nothing_give_no_score():
    with pytest.raises(ValueError, match="3 classes have costs, there are 2"):
        ExpectedCost(((0, 1, 1),) * 3).score(LOGITS, LABELS)
    with pytest.raises(ValueError, match="no mistake on these images"):
        CostAvoided(((0, 0), (1, 0))).score(LOGITS[:70], LABELS[:70])


def test_a_board_asks_for_what_it_ranks_by_and_what_it_sets():
    assert board_metrics("balanced_accuracy", {}) == ()
    [sensitivity] = board_metrics("sensitivity", {})
    assert sensitivity.metric == Sensitivity(0.9)
    options = {"specificity": 0.95, "costs": [[0, 1], [5, 0]]}
    names = [each.name for each in board_metrics("cost_avoided", options)]
    assert names == ["sensitivity", "cost_avoided", "expected_cost"]
    other = {**options, "costs": [[0, 1], [6, 0]]}
    versions = [{e.name: e.version for e in board_metrics("", each)} for each in (options, other)]
    assert versions[0]["sensitivity"] == versions[1]["sensitivity"]
    assert versions[0]["cost_avoided"] != versions[1]["cost_avoided"]
