from __future__ import annotations

import numpy as np
import pytest

from benchbase.errors import ContractError, DivergedError
from benchbase.judge import Questions, average, select


def answers(questions: Questions, logits: np.ndarray) -> np.ndarray:
    """Predict as an honest predictor would: each image by itself, in the order asked."""
    return logits[questions.order]


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).normal(size=(200, 3)).astype(np.float32)


def test_answers_come_back_in_the_images_own_order(logits):
    questions = Questions.draw(200, secret=1)
    centred = logits - logits.max(axis=1, keepdims=True)
    assert np.array_equal(questions.answers(answers(questions, logits)), centred)


def test_the_order_is_secret_and_repeats_some_images(logits):
    one, other = Questions.draw(200, secret=1), Questions.draw(200, secret=2)
    assert len(one.order) == 264
    assert not np.array_equal(one.order, other.order)
    assert not np.array_equal(one.order[:200], np.arange(200))


def test_a_model_that_looks_at_an_image_s_neighbours_is_caught(logits):
    questions = Questions.draw(200, secret=1)
    company = answers(questions, logits)
    company = company + np.arange(len(company), dtype=np.float32)[:, None] * np.float32(
        [[0.1, 0, 0]]
    )
    with pytest.raises(ContractError, match="predict each image by itself"):
        questions.answers(company)


def test_rounding_differences_between_batches_are_let_pass(logits):
    questions = Questions.draw(200, secret=1)
    company = answers(questions, logits)
    company[::2] += 1e-5
    questions.answers(company)


def test_an_offset_that_all_logits_share_hides_nothing(logits):
    questions = Questions.draw(200, secret=1)
    company = answers(questions, logits)
    company = company + np.arange(len(company), dtype=np.float32)[:, None] * [[0.1, 0, 0]] + 1e4
    with pytest.raises(ContractError, match="predict each image by itself"):
        questions.answers(company.astype(np.float32))


def test_logits_that_are_not_finite_mean_divergence(logits):
    questions = Questions.draw(200, secret=1)
    company = answers(questions, logits)
    company[7, 1] = np.nan
    with pytest.raises(DivergedError, match="NaN or infinite logits for 1 of 264"):
        questions.answers(company)


def test_every_rule_is_applied_and_the_earliest_wins_a_tie():
    selected = select(
        test_balanced_accuracy=np.array([0.5, 0.9, 0.6, 0.9, 0.7, 0.7, 0.7]),
        validation_noisy_balanced_accuracy=np.array([0.1, 0.2, 0.4, 0.4, 0.3, 0.2, 0.1]),
        validation_clean_balanced_accuracy=np.array([0.1, 0.2, 0.4, 0.5, 0.3, 0.2, 0.1]),
    )
    assert selected == {
        "last": [6],
        "last5": [2, 3, 4, 5, 6],
        "val_noisy": [2],
        "val_clean": [3],
        "oracle": [1],
    }


def test_a_run_of_fewer_than_five_epochs_averages_what_there_is():
    curve = np.array([0.1, 0.2])
    assert select(curve, curve, curve)["last5"] == [0, 1]


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
