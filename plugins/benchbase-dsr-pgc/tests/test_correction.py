"""The bilevel correction, against its definition."""

import dataclasses

import benchbase_dsr_pgc.losses as losses_module
import pytest
import torch
from benchbase_dsr_pgc import DSRPGC
from benchbase_dsr_pgc.losses import (
    Correction,
    Offsets,
    Reweighting,
    VirtualStep,
    disagreement,
)
from torch import nn
from torch.nn import functional as F

from benchbase.api import Batch, Meter
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.elsewhere import call_at


def trusted_loss_after(virtual, weights, trusted, beside, create_graph=False):
    """The definition, written out; differentiable in the weights where asked."""
    parameters = {n: p for n, p in virtual.model.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(
        (weights * virtual.losses).mean() + beside,
        list(parameters.values()),
        create_graph=create_graph,
        retain_graph=True,
        materialize_grads=True,
    )
    moved = {
        name: value - virtual.lr * gradient
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
    }
    return virtual.trusted_loss_at(moved, trusted)


def by_double_backward(virtual, weights, trusted, beside):
    weights = weights.clone().requires_grad_()
    loss = trusted_loss_after(virtual, weights, trusted, beside, create_graph=True)
    return torch.autograd.grad(loss, weights)[0]


def by_central_differences(virtual, weights, trusted, beside):
    slopes = []
    for move in torch.eye(len(weights)) * 1e-4:
        up, down = (
            trusted_loss_after(virtual, moved, trusted, beside).detach()
            for moved in (weights + move, weights - move)
        )
        slopes.append((up - down) / 2e-4)
    return torch.stack(slopes)


@pytest.fixture
def correct(ready, monkeypatch):
    """Run one objective and give what each way of differentiation makes of its correction."""

    def run(task, **settings):
        found = {}

        def recording(virtual, weights, trusted, *, beside):
            found["exact"] = hypergradient(virtual, weights, trusted, beside=beside)
            for way in (by_double_backward, by_central_differences):
                found[way.__name__] = way(virtual, weights, trusted, beside)
            return found["exact"]

        monkeypatch.setattr(losses_module, "hypergradient", recording)
        state = ready(task)
        objective = DSRPGC(**settings).objective(task, state.training)
        # A queue with something in it; then the step that counts, at full strength.
        step = dataclasses.replace(state.step, number=10**6, progress=1.0)
        objective(dataclasses.replace(step, number=0))
        views = dataclasses.replace(step.views, images=step.views.images.flip(0))
        objective(dataclasses.replace(step, views=views))
        return found

    return run


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lambda_contrast": 0.0},
        {"lambda_consistency": 0.0, "form": "out"},
        {"weight": "exp-entropy"},
    ],
    ids=str,
)
def test_forward_mode_equals_double_backward_and_differences(double, correct, plain, settings):
    found = correct(double(plain=plain, batch_size=16), **settings)
    size = found["exact"].norm()
    assert size > 0
    assert (found["exact"] - found["by_double_backward"]).norm() < 1e-10 * size
    assert (found["exact"] - found["by_central_differences"]).norm() < 1e-6 * size


def test_forward_mode_sees_the_dropout_masks_of_the_step(double, correct):
    found = correct(double(plain=True, dropout=0.5, batch_size=16))
    torch.testing.assert_close(found["exact"], found["by_double_backward"])


@pytest.mark.parametrize(("target", "slope"), [(2, -0.244898), (5, 0.040816)])
def test_an_unlabelled_target_is_raised_if_right_and_lowered_if_wrong(double, target, slope):
    classes, label = 7, torch.tensor([2])
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, classes, bias=False))
    nn.init.zeros_(model[1].weight)
    image = F.normalize(torch.tensor([[1.0, 2.0, -1.0, 0.5]])).view(1, 1, 2, 2)
    certain = F.one_hot(torch.tensor([target]), classes).double()

    def losses_at(parameters):
        return disagreement(call_at(model, parameters, image), certain)

    virtual = VirtualStep(
        model,
        losses_at(dict(model.named_parameters())),
        lr=1e-6,
        meter=Meter(),
        losses_at=losses_at,
        trusted_loss_at=lambda parameters, batch: F.cross_entropy(
            call_at(model, parameters, batch.images), batch.labels
        ),
    )
    trusted = Batch(image, label, torch.tensor([0]))
    found = hypergradient(virtual, torch.ones(1), trusted)
    assert found.item() / 1e-6 == pytest.approx(slope, abs=1e-5)


def state_of(training, queue):
    optimiser = training._descent._optimiser
    return [
        *training.student.state_dict().values(),
        *training.averaged.state_dict().values(),
        *(value for state in optimiser.state.values() for value in state.values()),
        *(queue.keys, queue.labels, queue.weights, queue.images),
        torch.get_rng_state(),
    ]


def test_a_correction_changes_its_offsets_and_nothing_else(make_task, ready):
    task = make_task(batch_size=16)
    state = ready(task)
    training, views = state.training, state.step.views
    objective = DSRPGC().objective(task, training)
    assert isinstance(objective, Reweighting)
    training.joint_step(state.step.labelled, views, objective)
    step = dataclasses.replace(training.look(state.step.labelled, views), number=10**6)
    losses = disagreement(step.logits, torch.full_like(step.logits, 1 / 3))
    correction = Correction(task, training, rate=0.1, memory=0.9)
    before = [value.clone() for value in state_of(training, objective.queue)]
    gradients = [p.grad.clone() for p in training.student.network.parameters()]
    weights = correction.weigh(step, torch.full((12,), 0.5), losses)
    after = state_of(training, objective.queue)
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    for was, parameter in zip(gradients, training.student.network.parameters(), strict=True):
        assert torch.equal(was, parameter.grad)
    assert training.student.training
    others = torch.ones(len(task.train), dtype=torch.bool)
    others[views.images] = False
    assert (correction.offsets.values[others] == 0).all()
    assert correction.offsets.values[views.images].abs().max() == pytest.approx(0.1)
    assert not weights.requires_grad
    assert ((weights >= 0) & (weights <= 1)).all()


def test_work_is_counted(make_task, ready):
    task = make_task(batch_size=16)
    state = ready(task)
    correction = Correction(task, state.training, rate=0.1, memory=0.9)
    step = dataclasses.replace(state.step, number=10**6)
    losses = disagreement(step.logits, torch.full_like(step.logits, 1 / 3))
    was = dataclasses.replace(task.meter)
    correction.weigh(step, torch.full((12,), 0.5), losses)
    # Back: the joint batch and a trusted one. Forward: both, and the joint batch's tangents.
    assert task.meter.backpropagated - was.backpropagated == 16 + 4
    assert task.meter.forwarded - was.forwarded == 16 + 4 + 16


def test_there_is_no_slope_without_a_learning_rate(make_task, ready):
    task = make_task(batch_size=16)
    recipe = dataclasses.replace(task.recipe, learning_rate=0.0)
    task = dataclasses.replace(task, recipe=recipe)
    state = ready(task)
    correction = Correction(task, state.training, rate=0.1, memory=0.9)
    step = dataclasses.replace(state.step, number=10**6)
    losses = disagreement(step.logits, torch.full_like(step.logits, 1 / 3))
    weights = correction.weigh(step, torch.full((12,), 0.5), losses)
    assert torch.equal(weights, torch.full((12,), 0.5))


@pytest.mark.parametrize(
    ("number", "every", "corrects"),
    [(0, 1, False), (1, 1, True), (4, 4, True), (5, 4, False)],
)
def test_corrections_begin_after_a_tenth_of_the_run_and_come_every_so_often(
    make_task, ready, number, every, corrects
):
    task = make_task(batch_size=16)
    state = ready(task)
    assert state.training.total_steps == 10
    correction = Correction(task, state.training, rate=0.1, memory=0.9, every=every)
    step = dataclasses.replace(state.step, number=number)
    losses = disagreement(step.logits, torch.full_like(step.logits, 1 / 3))
    correction.weigh(step, torch.full((12,), 0.5), losses)
    assert correction.offsets.values.any() == corrects


def test_images_that_help_gain_weight(double, ready):
    """Trusted images are the unlabelled ones; half of the targets are right, half are wrong."""
    task = double(batch_size=16, noise=0.0, per_class=40)
    task = dataclasses.replace(task, augment_strongly=lambda pixels, stream: pixels)
    state = ready(task)
    views = state.step.views
    truth = task.train.labels[views.images]
    wrong = torch.arange(len(truth)) % 2 == 0
    targets = F.one_hot((truth + wrong) % 3, 3).double()
    trusted = task.train.subset(views.images)
    grants = dataclasses.replace(task.grants, trusted=trusted)
    recipe = dataclasses.replace(task.recipe, trusted_batch_size=12)
    task = dataclasses.replace(task, grants=grants, recipe=recipe)
    correction = Correction(task, state.training, rate=0.1, memory=0.9)
    step = dataclasses.replace(state.step, number=10**6)
    losses = disagreement(step.logits, targets)
    correction.weigh(step, torch.full((12,), 0.5), losses)
    offsets = correction.offsets.values[views.images]
    assert offsets[~wrong].mean() > 0 > offsets[wrong].mean()


def test_offsets_move_against_the_slope_and_stay_within_their_bound():
    offsets = Offsets(4, rate=0.1, memory=0.9, device=torch.device("cpu"))
    for _ in range(200):
        offsets.update(torch.tensor([0, 2]), torch.tensor([-3e-4, 1e-4]))
        assert offsets.values.abs().max() <= 0.1 / (1 - 0.9) + 1e-6
    assert offsets.values[0] == pytest.approx(1.0, abs=1e-5)
    assert offsets.values[2] == pytest.approx(-1 / 3, abs=1e-5)
    assert offsets.values[[1, 3]].tolist() == [0, 0]
    weights = offsets.corrected(torch.tensor([0.3, 0.2, 0.4]), torch.tensor([0, 1, 2]))
    assert weights.tolist() == pytest.approx([1.0, 0.2, 0.4 - 1 / 3], abs=1e-5)


def test_without_a_slope_offsets_only_fade():
    offsets = Offsets(2, rate=0.1, memory=0.9, device=torch.device("cpu"))
    offsets.update(torch.tensor([0, 1]), torch.tensor([-1.0, 0.5]))
    offsets.update(torch.tensor([0, 1]), torch.zeros(2))
    torch.testing.assert_close(offsets.values, 0.9 * torch.tensor([0.1, -0.05]))
