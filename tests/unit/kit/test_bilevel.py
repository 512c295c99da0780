import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from benchbase.api import Batch, Classifier, Meter, Step
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.loops import forward

WEIGHTS = torch.tensor([0.3, 0.9, 0.1, 0.7, 0.5, 0.2], dtype=torch.float64)


def trusted_loss_after_virtual_step(
    step, weights, trusted, normalised, *, create_graph=False, beside=None
):
    """The definition, written out; differentiable in the weights where asked."""
    parameters = dict(step.model.named_parameters())
    loss = (weights * step.losses).mean()
    if normalised:
        loss = (weights / weights.sum() * step.losses).sum()
    if beside is not None:
        loss = loss + beside
    gradients = torch.autograd.grad(
        loss, list(parameters.values()), create_graph=create_graph, retain_graph=True
    )
    virtual = {
        name: value - step.lr * gradient
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
    }
    return step.trusted_loss_at(virtual, trusted)


def by_double_backward(step, weights, trusted, normalised=False, beside=None):
    weights = weights.clone().requires_grad_()
    loss = trusted_loss_after_virtual_step(
        step, weights, trusted, normalised, create_graph=True, beside=beside
    )
    return torch.autograd.grad(loss, weights)[0]


def by_central_differences(step, weights, trusted, normalised=False):
    width = 1e-5
    slopes = []
    for move in torch.eye(len(weights), dtype=weights.dtype) * width:
        up, down = (
            trusted_loss_after_virtual_step(step, moved, trusted, normalised)
            for moved in (weights + move, weights - move)
        )
        slopes.append(((up - down) / (2 * width)).detach())
    return torch.stack(slopes)


def relative_error(value, expected):
    return float((value - expected).norm() / expected.norm())


EVERY_KIND = list(itertools.product([False, True], [False, True], [0.0, 0.4]))


@pytest.mark.parametrize(("batch_norm", "normalised", "dropout"), EVERY_KIND)
def test_hypergradient_equals_double_backward(make_step, batch_norm, normalised, dropout):
    step, trusted = make_step(batch_norm=batch_norm, dropout=dropout)
    value = hypergradient(step, WEIGHTS, trusted, normalised=normalised)
    expected = by_double_backward(step, WEIGHTS, trusted, normalised)
    assert relative_error(value, expected) < 1e-10


@pytest.mark.parametrize(("batch_norm", "normalised", "dropout"), EVERY_KIND)
def test_hypergradient_equals_finite_differences(make_step, batch_norm, normalised, dropout):
    step, trusted = make_step(batch_norm=batch_norm, dropout=dropout)
    value = hypergradient(step, WEIGHTS, trusted, normalised=normalised)
    expected = by_central_differences(step, WEIGHTS, trusted, normalised)
    assert relative_error(value, expected) < 1e-7


def test_a_loss_beside_the_weighted_ones_takes_part_in_the_virtual_step(make_step):
    step, trusted = make_step()
    beside = 3 * F.cross_entropy(step.logits, step.batch.labels.roll(1))
    value = hypergradient(step, WEIGHTS, trusted, beside=beside)
    expected = by_double_backward(step, WEIGHTS, trusted, beside=beside)
    assert relative_error(value, expected) < 1e-10
    assert relative_error(hypergradient(step, WEIGHTS, trusted), expected) > 1e-3


def test_last_layer_formula_is_exact_where_only_the_head_learns(make_step):
    step, trusted = make_step(batch_norm=False, lr=0.3)
    step.model.body.requires_grad_(requires_grad=False)
    value = hypergradient(step, WEIGHTS, trusted)
    head = step.model.head
    miss = (
        torch.softmax(step.logits, 1) - F.one_hot(step.batch.labels, step.logits.shape[1])
    ).detach()
    features = step.features.detach()
    pulls = 0.3 * WEIGHTS.unsqueeze(1) * miss / len(WEIGHTS)
    moved = nn.Linear(head.in_features, head.out_features, dtype=torch.float64)
    moved.weight.data = head.weight.detach() - pulls.T @ features
    moved.bias.data = head.bias.detach() - pulls.sum(0)
    theirs = step.model.body(trusted.images).detach()
    their_miss = torch.softmax(moved(theirs), 1) - F.one_hot(trusted.labels, miss.shape[1])
    slopes = ((features @ theirs.T + 1) * (miss @ their_miss.detach().T)).mean(1)
    assert relative_error(value, -0.3 / len(WEIGHTS) * slopes) < 1e-12


def test_zero_weights_rectified_and_normalised_are_learning_to_reweight(make_step):
    # Ren et al., ICML 2018, algorithm 1: one look from zero weights, max(0, -gradient), sum one.
    step, trusted = make_step()
    start = torch.zeros_like(WEIGHTS)
    weights = (-hypergradient(step, start, trusted)).clamp_min(0)
    expected = (-by_double_backward(step, start, trusted)).clamp_min(0)
    torch.testing.assert_close(weights / weights.sum(), expected / expected.sum())


def test_normalised_weights_that_are_all_zero_give_finite_numbers(make_step):
    step, trusted = make_step()
    value = hypergradient(step, torch.zeros_like(WEIGHTS), trusted, normalised=True)
    assert value.isfinite().all()


def test_normalised_hypergradient_does_not_change_the_sum_of_weights(make_step):
    step, trusted = make_step()
    value = hypergradient(step, WEIGHTS, trusted, normalised=True)
    # Scaling all weights changes nothing, so the derivative along them is zero.
    assert abs(float(value @ WEIGHTS)) < 1e-12


def test_scalar_problem_agrees_with_the_calculation_by_hand():
    # l = (theta x - y)^2 / 2 at theta = 0 with x = (1, 1), y = (1, -1) has the slopes (-1, 1).
    # Equal weights: the virtual step stays at 0, where the trusted loss (theta - 1)^2 / 2 has the
    # slope g = -1. So G = g (-1, 1) = (1, -1), and dM/dv = -(lr / n) G with lr / n = 0.5 / 2.
    class Line(Classifier):
        def __init__(self):
            super().__init__()
            self.theta = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def features(self, images):
            return images

    model = Line()
    x, y = torch.ones(2, dtype=torch.float64), torch.tensor([1.0, -1.0], dtype=torch.float64)
    batch = Batch(torch.ones(2, 1, 1, 1), torch.tensor([0, 0]), torch.tensor([0, 1]))

    def losses_at(parameters):
        return (parameters["theta"] * x - y) ** 2 / 2

    step = Step(
        model=model,
        batch=batch,
        logits=torch.ones(2, 1),
        features=torch.ones(2, 1),
        losses=losses_at(dict(model.named_parameters())),
        lr=0.5,
        epoch=0,
        losses_at=losses_at,
        trusted_loss_at=lambda parameters, _: ((parameters["theta"] - 1) ** 2 / 2).sum(),
        meter=Meter(),
    )
    value = hypergradient(step, torch.full_like(y, 0.5), batch)
    assert value.tolist() == [-0.25, 0.25]


@pytest.mark.parametrize(
    "kind", [{"classes": 2}, {"channels": 1}, {"size": 1, "batch_norm": False}]
)
def test_hypergradient_is_right_at_the_edges(make_step, kind):
    step, trusted = make_step(**kind)
    weights = WEIGHTS[: len(step.losses)]
    value = hypergradient(step, weights, trusted)
    assert relative_error(value, by_double_backward(step, weights, trusted)) < 1e-10


def test_parameters_that_are_frozen_or_unused_are_left_out(make_step):
    step, trusted = make_step()
    step.model.spare = nn.Parameter(torch.ones(3, dtype=torch.float64))
    with_spare = hypergradient(step, WEIGHTS, trusted)
    del step.model.spare
    assert torch.equal(with_spare, hypergradient(step, WEIGHTS, trusted))

    step.model.body[0].requires_grad_(False)
    frozen = hypergradient(step, WEIGHTS, trusted)
    moving = [value for value in step.model.parameters() if value.requires_grad]
    gradients = torch.autograd.grad((WEIGHTS * step.losses).mean(), moving, retain_graph=True)
    names = [name for name, value in step.model.named_parameters() if value.requires_grad]
    virtual = {
        name: (value - step.lr * gradient).detach().requires_grad_()
        for name, value, gradient in zip(names, moving, gradients, strict=True)
    }
    direction = torch.autograd.grad(step.trusted_loss_at(virtual, trusted), list(virtual.values()))
    for position, loss in enumerate(step.losses):
        slopes = torch.autograd.grad(loss, moving, retain_graph=True)
        slope = sum((a * b).sum() for a, b in zip(slopes, direction, strict=True))
        assert float(frozen[position]) == pytest.approx(float(-step.lr / 6 * slope), rel=1e-10)


@pytest.mark.parametrize("norm", [parametrizations.weight_norm, parametrizations.spectral_norm])
@pytest.mark.parametrize("normalised", [False, True])
def test_kernels_without_a_forward_derivative_get_theirs_by_double_backward(
    make_task, make_step, norm, normalised
):
    plain, trusted = make_step()
    norm(plain.model.body[0])
    step = forward(make_task(), plain.model, plain.batch, 0.3, 0)
    before = state_of(step.model)
    value = hypergradient(step, WEIGHTS, trusted, normalised=normalised)
    torch.testing.assert_close(state_of(step.model), before, rtol=0, atol=0)
    expected = by_double_backward(step, WEIGHTS, trusted, normalised)
    assert relative_error(value, expected) < 1e-10
    (WEIGHTS * step.losses).mean().backward()  # the step's graph is still there


def state_of(model):
    return {
        "parameters": [value.clone() for value in model.state_dict().values()],
        "grad": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "modes": [module.training for module in model.modules()],
        "stream": torch.get_rng_state(),
    }


@pytest.mark.parametrize("normalised", [False, True])
def test_hypergradient_leaves_no_trace_on_the_model_and_the_streams(make_step, normalised):
    step, trusted = make_step(dropout=0.3)
    step.model.head.weight.grad = torch.ones_like(step.model.head.weight)
    before = state_of(step.model)
    hypergradient(step, WEIGHTS, trusted, normalised=normalised)
    after = state_of(step.model)
    torch.testing.assert_close(after, before, rtol=0, atol=0)


def test_running_statistics_after_a_step_are_those_of_one_forward_pass(make_task, make_step):
    step, trusted = make_step()
    plain = make_task(dtype=torch.float64).build_model()
    plain(step.batch.images)
    hypergradient(step, WEIGHTS, trusted)
    for name, buffer in step.model.named_buffers():
        assert torch.equal(buffer, plain.get_buffer(name)), name


def test_graph_of_the_step_survives_for_the_real_backward(make_step):
    step, trusted = make_step()
    hypergradient(step, WEIGHTS, trusted)
    loss = (WEIGHTS * step.losses).mean()
    again = F.cross_entropy(step.model(step.batch.images), step.batch.labels, reduction="none")
    parameters = list(step.model.parameters())
    value = torch.autograd.grad(loss, parameters)
    expected = torch.autograd.grad((WEIGHTS * again).mean(), parameters)
    torch.testing.assert_close(value, expected, rtol=0, atol=0)


def test_hypergradient_is_detached_and_counts_its_work(make_step):
    step, trusted = make_step()
    before = step.meter.forwarded
    value = hypergradient(step, WEIGHTS.clone().requires_grad_(), trusted)
    assert not value.requires_grad
    assert value.shape == (6,)
    # Trusted batch 4; losses and their tangents 6 + 6. Back: virtual step 6, trusted batch 4.
    assert step.meter.forwarded - before == 16
    assert step.meter.backpropagated == 10
