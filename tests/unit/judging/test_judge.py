from __future__ import annotations

import numpy as np
import pytest

from benchbase.cell import DataIdentity
from benchbase.data.contract import Part
from benchbase.data.opening import Opened
from benchbase.errors import ContractError, DivergedError
from benchbase.judging.judge import RESERVED, Judge, Questions, average, select
from benchbase.judging.steps import Counted


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
        [5, 6],
        test_balanced_accuracy=np.array([0.5, 0.9, 0.6, 0.9, 0.7, 0.7, 0.7]),
        validation_noisy_balanced_accuracy=np.array([0.1, 0.2, 0.4, 0.4, 0.3, 0.2, 0.1]),
        validation_clean_balanced_accuracy=np.array([0.1, 0.2, 0.4, 0.5, 0.3, 0.2, 0.1]),
    )
    assert selected == {
        "tail": [5, 6],
        "last": [6],
        "last5": [2, 3, 4, 5, 6],
        "val_noisy": [2],
        "val_clean": [3],
        "oracle": [1],
    }


def test_a_run_of_fewer_than_five_epochs_averages_what_there_is():
    curve = np.array([0.1, 0.2])
    assert select([1], curve, curve, curve)["last5"] == [0, 1]


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


TRUE = np.array([0, 1, 1, 0], dtype=np.int64)
COUNTED = Counted((0,), 0, "", 0, None)


@pytest.fixture
def judge() -> Judge:
    """Judge four images, the same for training, validation and test."""
    part = Part(np.zeros((4, 1, 2, 2), dtype=np.uint8), TRUE)
    return Judge(
        Opened(
            classes=("a", "b"),
            flips="none",
            train=Part(part.pixels, TRUE.copy()),
            train_true=TRUE,
            trusted=part,
            trusted_is_clean=True,
            unlabelled=None,
            unlabelled_true=None,
            validation=part,
            validation_true=TRUE,
            test=part,
            mean=(0.0,),
            std=(1.0,),
            corruption={},
            identity=DataIdentity("", "", ""),
        ),
        epochs=5,
    )


def right_on(count: int) -> np.ndarray:
    """Give logits of validation and test that are right on the first ``count`` images of each."""
    said = np.where(np.arange(4) < count, TRUE, 1 - TRUE)
    return np.tile(np.eye(2, dtype=np.float32)[said], (2, 1))


def test_the_finished_model_of_each_round_is_told_against_the_labels_bought(judge):
    for count, bought in ((4, 0), (2, 0), (1, 20), (3, 20), (4, 40)):
        judge.hear(right_on(count), None, {}, COUNTED, range(bought))
    verdict = judge.conclude()
    assert verdict["curves"]["labels_bought"] == [0, 0, 20, 20, 40]
    told = verdict["relabelling"]
    assert told["labels_bought"] == [0, 20, 40]
    assert told["accuracy"] == pytest.approx([0.5, 0.75, 1.0]), "not the best at that number"
    assert told["balanced_accuracy"] == pytest.approx([0.5, 0.75, 1.0])
    assert told["area"]["accuracy"] == pytest.approx(0.75)


def test_where_no_labels_are_for_sale_none_are_counted(judge):
    judge.hear(right_on(3), None, {}, COUNTED)
    verdict = judge.conclude()
    assert "labels_bought" not in verdict["curves"]
    assert verdict["relabelling"] == {}


def test_weights_are_compared_with_the_labels_that_the_images_had_then(judge):
    judge.opened.train.labels[:] = 1 - TRUE  # all wrong
    weights = np.array([0.1, 0.2, 0.9, 1.0], dtype=np.float32)
    for bought in ([], [0], {2, 3}):
        judge.hear(right_on(4), weights, {}, COUNTED, bought)
    verdict = judge.conclude()
    assert verdict["curves"]["weight_auroc"] == [None, 0.0, 1.0]
    assert verdict["weights"]["auroc"] == 1.0


@pytest.mark.parametrize("bought", [None, range(4)])
def test_a_note_cannot_stand_for_what_only_the_judge_knows(judge, bought):
    notes = {**dict.fromkeys(RESERVED, 99.0), "loss": 0.5}
    judge.hear(right_on(2), None, notes, COUNTED, bought)
    curves = judge.conclude()["curves"]
    assert curves["loss"] == [0.5]
    assert not any(99.0 in curve for curve in curves.values())
