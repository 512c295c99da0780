import pytest
import torch

from benchbase.api import Checkpoint, LossWeighter, Need, Weighter
from benchbase.testing.real import nuclei_problem


class Ones(LossWeighter):
    name = "ones"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)


class Untrained(Weighter):
    name = "untrained"

    def fit(self, task):
        yield Checkpoint(task.build_model())


def test_the_same_training_is_no_points_behind(points_behind_unweighted):
    assert points_behind_unweighted(Ones(), epochs=3) == 0


def test_a_network_that_learned_nothing_is_no_better_than_chance(points_behind_unweighted):
    with pytest.raises(AssertionError, match=r"chance is 0\.33"):
        points_behind_unweighted(Untrained(), train_size=100, epochs=1)


def test_the_condition_is_the_callers(tmp_path):
    needs = frozenset({Need.UNLABELLED, Need.ORACLE})
    problem = nuclei_problem(
        tmp_path, needs=needs, train_size=200, label_fraction=0.2, label_budget=7
    )
    task = problem.task
    assert (len(task.train), len(task.unlabelled), task.withheld) == (39, 161, 161)
    assert task.oracle.query(torch.arange(7)).tolist() == task.train.labels[:7].tolist()
    assert problem.balanced_accuracy(task.build_model()) <= 1
