from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchbase.data.contract import Part
from benchbase.data.maps import judged_order
from benchbase.errors import ContractError, DivergedError
from benchbase.judging.clinical import board_metrics
from benchbase.judging.extra import Extra
from benchbase.judging.judge import RESERVED, Judge, Questions
from benchbase.judging.metrics import Metric, score
from benchbase.judging.steps import Counted
from tests.unit.small_opened import LABELS, make_opened

ORDER = judged_order(200, secret=1)
QUESTIONS = Questions.of(ORDER)


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).normal(size=(200, 3)).astype(np.float32)


def test_answers_come_back_in_the_images_own_order(logits):
    centred = logits - logits.max(axis=1, keepdims=True)
    assert np.array_equal(QUESTIONS.answers(logits[ORDER]), centred)


def test_a_model_that_looks_at_an_image_s_neighbours_is_caught(logits):
    company = logits[ORDER]
    company = company + np.arange(len(company), dtype=np.float32)[:, None] * np.float32(
        [[0.1, 0, 0]]
    )
    with pytest.raises(ContractError, match="predict each image by itself"):
        QUESTIONS.answers(company)


def test_rounding_differences_between_batches_are_let_pass(logits):
    company = logits[ORDER]
    company[::2] += 1e-5
    QUESTIONS.answers(company)


def test_an_offset_that_all_logits_share_hides_nothing(logits):
    company = logits[ORDER]
    company = company + np.arange(len(company), dtype=np.float32)[:, None] * [[0.1, 0, 0]] + 1e4
    with pytest.raises(ContractError, match="predict each image by itself"):
        QUESTIONS.answers(company.astype(np.float32))


def test_logits_that_are_not_finite_mean_divergence(logits):
    company = logits[ORDER]
    company[7, 1] = np.nan
    with pytest.raises(DivergedError, match="NaN or infinite logits for 1 of 264"):
        QUESTIONS.answers(company)


COUNTED = Counted((0,), 0, "", 0, None)


@pytest.fixture
def judge() -> Judge:
    """Judge four images, the same for training, validation and test."""
    return Judge(make_opened(), epochs=5)


def right_on(count: int) -> np.ndarray:
    """Give logits of validation and test that are right on the first ``count`` images of each."""
    said = np.where(np.arange(4) < count, LABELS, 1 - LABELS)
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
    assert verdict["relabelling"] is None


def test_weights_are_compared_with_the_labels_that_the_images_had_then(judge):
    wrong = Part(judge.opened.train.pixels, 1 - LABELS)
    judge.opened = dataclasses.replace(judge.opened, train=wrong)
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


def test_each_metric_chooses_by_itself(judge):
    # Later, the one wrong image is ranked worse: the areas fall while the recalls rise.
    ranked = np.array([[0, -1], [1, 0], [0, -1], [2, 0]], dtype=np.float32)
    flat = np.array([[0, -1], [0, 1], [0, 1], [0, 1.5]], dtype=np.float32)
    for half in (ranked, flat):
        judge.hear(np.tile(half, (2, 1)), None, {}, COUNTED)
    verdict = judge.conclude()
    curves = verdict["curves"]
    for metric, rules in verdict["chosen"].items():
        curve = curves[f"test_{metric}"]
        assert curve[rules["oracle"]] == max(curve)
        told = verdict["metrics"]["oracle"][metric]["value"]
        assert told == max(curve), metric
    by = {**verdict["chosen"]["macro_auroc"], "primary": verdict["selected"]["oracle"][0]}
    assert by["oracle"] != by["primary"], "else this shows nothing"


def test_scores_are_those_of_the_stored_form(judge):
    rng = np.random.Generator(np.random.PCG64(0))
    judge.hear(rng.normal(size=(8, 2)).astype(np.float32), None, {}, COUNTED)
    verdict = judge.conclude()
    kept = judge.predictions()
    assert kept["test_logits"].dtype == np.float16
    again = score(kept["test_logits"][0], kept["test_labels"], [2, 2])
    for name, value in again.items():
        assert verdict["metrics"]["last"][name]["value"] == value, name


def test_the_models_told_against_labels_are_kept_too(judge):
    for count, bought in ((4, 0), (1, 20), (1, 40), *((1, 60),) * 6):
        judge.hear(right_on(count), None, {}, COUNTED, range(bought))
    judge.conclude()
    assert {0, 1, 2, 8} <= {*judge.predictions()["checkpoints"].tolist()}


@pytest.mark.parametrize(("moved", "never"), [(1.0, True), (0.5, False)])
def test_weights_that_never_left_one_are_told_apart_from_those_that_came_back(judge, moved, never):
    ones = np.ones(4, dtype=np.float32)
    for weights in (ones * moved, None, ones):
        judge.hear(right_on(4), weights, {}, COUNTED)
    assert judge.conclude()["weights"]["never_left_one"] is never


class _Broken(Metric):
    name = "broken"

    def score(self, logits, labels):
        logits -= 1
        labels[...] = 0
        return 0.0


def test_a_broken_metric_changes_nothing_else(judge):
    plain = Judge(judge.opened, judge.epochs)
    judge.extra = (Extra.of(_Broken(), "0" * 64),)
    for one in (plain, judge):
        one.hear(right_on(3), None, {}, COUNTED)
    expected, verdict = plain.conclude(), judge.conclude()
    for rule, scores in verdict["metrics"].items():
        told = scores.pop("broken")
        assert told["value"] is None
        assert "read-only" in told["reason"]
        assert scores == expected["metrics"][rule]
    assert verdict["metric_versions"] == {"broken": "code 000000000000"}


def test_a_board_s_own_metric_chooses_its_checkpoint(judge):
    judge.extra = board_metrics("cost_avoided", {"costs": [[0, 1], [9, 0]]})
    cautious = np.tile(np.array([[0, 1]] * 4, dtype=np.float32), (2, 1))  # never misses class 1
    for logits in (right_on(2), cautious, right_on(2)):
        judge.hear(logits, None, {}, COUNTED)
    verdict = judge.conclude()
    assert verdict["curves"]["test_balanced_accuracy"] == [0.5, 0.5, 0.5]
    assert verdict["curves"]["test_cost_avoided"] == pytest.approx([0.5, 0.9, 0.5])
    assert verdict["selected"]["oracle"] == [0]
    assert set(verdict["chosen"]["cost_avoided"].values()) == {1}
    for rule in verdict["chosen"]["cost_avoided"]:
        assert verdict["metrics"][rule]["cost_avoided"]["value"] == pytest.approx(0.9)
    assert verdict["metrics"]["last"]["expected_cost"]["value"] is not None
