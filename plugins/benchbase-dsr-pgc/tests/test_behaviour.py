"""What the methods do on whole tasks: real images, and blobs with few labels."""

import dataclasses

import pytest
import torch
from benchbase_dsr_pgc import DSRPGC, DSRPGCE, FixMatch, MeanTeacher
from benchbase_dsr_pgc.plug_in import DSR, DSRCorrected
from sklearn.metrics import roc_auc_score

from benchbase.kit.loops import supervised
from benchbase.testing.toy import toy_problem

pytestmark = pytest.mark.slow

EVERY_METHOD = [DSRPGC(), DSRPGCE(), DSR(), DSRCorrected(), MeanTeacher(), FixMatch()]


@pytest.mark.parametrize("weighter", EVERY_METHOD, ids=lambda each: each.name)
def test_real_images_without_noise_cost_at_most_ten_points(points_behind_unweighted, weighter):
    assert points_behind_unweighted(weighter, epochs=8) < 10


def test_real_images_with_a_fifth_of_the_labels_cost_at_most_ten_points(points_behind_unweighted):
    assert points_behind_unweighted(DSRPGC(), epochs=8, label_fraction=0.2) < 10


def few_labels(seed):
    """Five labels a class, and the images of all the others without one."""
    problem = toy_problem(
        needs=DSRPGC.needs, per_class=60, noise=0.0, epochs=12, batch_size=32, seed=seed
    )
    train, truth = problem.task.train, problem.truth
    chosen = torch.cat([(truth == label).nonzero().squeeze(1)[:5] for label in range(3)])
    hidden = torch.ones(len(train), dtype=torch.bool)
    hidden[chosen] = False
    without = train.subset(hidden)
    without = without.relabelled(torch.arange(len(without)), torch.full((len(without),), -1))
    grants = dataclasses.replace(problem.task.grants, unlabelled=without)
    task = dataclasses.replace(
        problem.task, train=train.subset(chosen), withheld=len(without), grants=grants
    )
    return dataclasses.replace(problem, task=task), truth[hidden]


def uniform(step):
    return torch.ones_like(step.losses)


def accuracy(model, problem):
    with torch.no_grad():
        found = model.eval()(problem.test_images).argmax(1)
    return (found == problem.test_labels).float().mean().item()


def test_pseudo_labels_get_better_and_sure_ones_are_likelier_right(monkeypatch):
    # Test 29 of the specification, over three seeds: it is a statement about means.
    from benchbase_dsr_pgc.losses import Reweighting

    firsts, lasts, aurocs, leads = [], [], [], []
    for seed in range(3):
        problem, truth = few_labels(seed)
        seen: list[tuple[torch.Tensor, torch.Tensor]] = []
        weigh = Reweighting.__call__

        def watching(self, step, weigh=weigh, seen=seen, truth=truth):
            with torch.no_grad():
                logits, _ = self._teacher(step.views.weak)
            loss, weights = weigh(self, step)
            seen.append((logits.argmax(1) == truth[step.views.images], weights))
            return loss, weights

        monkeypatch.setattr(Reweighting, "__call__", watching)
        *_, last = DSRPGC().fit(problem.task)
        monkeypatch.setattr(Reweighting, "__call__", weigh)
        right = [each[0].float().mean().item() for each in seen]
        tenth = len(right) // 10
        firsts.append(sum(right[:tenth]) / tenth)
        lasts.append(sum(right[-tenth:]) / tenth)
        is_right, weights = (torch.cat(part) for part in zip(*seen, strict=True))
        aurocs.append(roc_auc_score(is_right, weights))
        plain_problem, _ = few_labels(seed)
        plain = plain_problem.task
        *_, alone = supervised(
            plain, plain.build_model(), lambda step: torch.ones_like(step.losses)
        )
        leads.append(accuracy(last.model, problem) - accuracy(alone.model, plain_problem))
    assert sum(lasts) / 3 > sum(firsts) / 3 + 0.05
    assert sum(aurocs) / 3 > 0.6
    assert sum(leads) / 3 > -0.05
