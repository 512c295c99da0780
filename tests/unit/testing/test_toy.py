"""The toy task: small, the same every time, and shaped as asked."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from benchbase.api import Need, Task
from benchbase.errors import BudgetError, UndeclaredNeedError
from benchbase.testing.toy import LABEL_BUDGET, toy_problem, toy_task

EVERYTHING = frozenset(Need)


def test_the_same_settings_give_the_same_task() -> None:
    first, second = toy_problem(needs=EVERYTHING), toy_problem(needs=EVERYTHING)
    assert torch.equal(first.task.train.pixels, second.task.train.pixels)
    assert torch.equal(first.task.train.labels, second.task.train.labels)
    assert torch.equal(first.test_images, second.test_images)
    for one, other in zip(
        first.task.build_model().parameters(), second.task.build_model().parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_the_seed_is_the_methods_and_leaves_the_data_alone() -> None:
    first, second = toy_task(seed=0), toy_task(seed=1)
    assert torch.equal(first.train.pixels, second.train.pixels)
    assert torch.equal(first.train.labels, second.train.labels)
    assert first.rng("order").initial_seed() != second.rng("order").initial_seed()
    weights = [task.build_model().state_dict()["body.0.weight"] for task in (first, second)]
    assert not torch.equal(*weights)


def test_each_model_of_a_run_starts_from_other_weights() -> None:
    task = toy_task()
    weights = [task.build_model().state_dict()["body.0.weight"] for _ in range(2)]
    assert not torch.equal(*weights)


def test_building_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    toy_task().build_model()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({}, [24, 24, 24]),
        ({"num_classes": 2, "per_class": 5}, [5, 5]),
        ({"imbalance": 4.0}, [24, 12, 6]),
        ({"per_class": 40, "imbalance": 40.0}, [40, 6, 1]),
        ({"absent": 1}, [24, 0, 24]),
    ],
)
def test_classes_have_the_sizes_that_were_asked_for(settings, counts: list[int]) -> None:
    truth = toy_problem(**settings).truth
    assert truth.bincount(minlength=len(counts)).tolist() == counts


@pytest.mark.parametrize("noise", [0.0, 0.25, 0.5])
def test_a_share_of_the_labels_is_wrong(noise: float) -> None:
    problem = toy_problem(noise=noise, needs=EVERYTHING)
    wrong = problem.task.train.labels != problem.truth
    assert wrong.float().mean().item() == noise == problem.task.noise_rate
    assert torch.equal(problem.task.truth, problem.truth)


def test_images_have_the_shape_that_was_asked_for() -> None:
    problem = toy_problem(channels=1, size=10, num_classes=4)
    assert problem.task.train.pixels.shape[1:] == (1, 10, 10)
    assert problem.task.train.pixels.dtype == torch.uint8
    model = problem.task.build_model()
    assert model(problem.test_images).shape == (len(problem.test_labels), 4)


def test_an_undeclared_need_raises() -> None:
    for need in (Need.TRUSTED, Need.UNLABELLED, Need.ORACLE, Need.NOISE_RATE, Need.TRUTH):
        task: Task = toy_task(needs=EVERYTHING - {need})
        name = need.name.lower()
        with pytest.raises(UndeclaredNeedError):
            getattr(task, name)
        assert getattr(dataclasses.replace(task, needs=EVERYTHING), name) is not None


def test_unlabelled_images_have_no_labels_and_may_be_none() -> None:
    assert set(toy_task(needs=EVERYTHING - {Need.TRUTH}).unlabelled.labels.tolist()) == {-1}
    assert set(toy_task(needs=EVERYTHING).unlabelled.labels.tolist()) == {0, 1, 2}
    assert len(toy_task(needs=EVERYTHING, unlabelled=False).unlabelled) == 0


def test_the_oracle_gives_no_labels_where_none_are_asked_for() -> None:
    oracle = toy_problem(needs=EVERYTHING).task.oracle
    assert oracle.query(torch.arange(0)).dtype == torch.long
    assert oracle.remaining == LABEL_BUDGET


def test_the_oracle_sells_true_labels_from_its_budget() -> None:
    problem = toy_problem(needs=EVERYTHING)
    rows = torch.arange(LABEL_BUDGET)
    assert torch.equal(problem.task.oracle.query(rows), problem.truth[rows])
    with pytest.raises(BudgetError):
        problem.task.oracle.query(rows + LABEL_BUDGET)
