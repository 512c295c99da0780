"""What the weights of unlabelled images do in the loss, and the controls of them."""

import copy
import dataclasses

import pytest
import torch
from benchbase_dsr_pgc import DSRPGCE
from benchbase_dsr_pgc.losses import Reweighting


def test_weights_of_zero_leave_loss_and_gradient_exactly_zero(make_task, ready, monkeypatch):
    task = make_task(batch_size=16)
    state = ready(task)
    objective = DSRPGCE().objective(task, state.training)
    monkeypatch.setattr(objective, "_first_weights", lambda targets: torch.zeros(12))
    loss, _ = objective(state.step)
    loss.backward()
    assert loss == 0
    assert all(p.grad is None or (p.grad == 0).all() for p in state.training.student.parameters())


@pytest.mark.parametrize(
    "settings",
    [{"lambda_contrast": 0.0}, {"lambda_consistency": 0.0}, {}],
    ids=["consistency", "contrast", "both"],
)
def test_the_unlabelled_loss_is_linear_in_the_weights(make_task, ready, monkeypatch, settings):
    task = make_task(batch_size=16)
    state = ready(task)
    objective = DSRPGCE(**settings).objective(task, state.training)
    assert isinstance(objective, Reweighting)
    step = dataclasses.replace(state.step, progress=1.0)
    objective(step)
    queue = objective.queue
    # The keys that are in it are now those of other images.
    step = dataclasses.replace(
        step, views=dataclasses.replace(step.views, images=step.views.images.flip(0))
    )

    def loss(weights):
        objective.queue = copy.copy(queue)
        monkeypatch.setattr(objective, "_first_weights", lambda targets: weights)
        return objective(step)[0].item()

    first, second = (
        torch.rand(12, generator=torch.Generator().manual_seed(seed)) / 2 for seed in (0, 1)
    )
    assert loss(first) > 0
    assert loss(first / 2) == pytest.approx(loss(first) / 2, rel=1e-5)
    assert loss(first + second) == pytest.approx(loss(first) + loss(second), rel=1e-5)
    single = torch.tensor([loss(each) for each in torch.eye(12)])
    assert single.std() > 0.1 * single.mean()


@pytest.mark.parametrize("weight", ["ones", "shuffled", "exp-entropy"])
def test_controls_of_the_weights(make_task, ready, weight):
    task = make_task(batch_size=16)
    state = ready(task)
    found, usual = (
        method.objective(task, state.training)(state.step)[1]
        for method in (DSRPGCE(weight=weight), DSRPGCE())
    )
    if weight == "ones":
        assert torch.equal(found, torch.ones(12))
    elif weight == "shuffled":
        assert not torch.equal(found, usual)
        assert torch.equal(found.sort().values, usual.sort().values)
    else:
        assert ((found >= 1 / 3) & (found > usual)).all()
