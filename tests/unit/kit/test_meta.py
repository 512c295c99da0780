import dataclasses
import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from benchbase.api import Grants, Images, Need
from benchbase.kit import meta
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.loops import endless_batches, forward, load_batch, supervised
from benchbase.kit.meta import MetaWeighter


@dataclass(frozen=True)
class ByLoss(MetaWeighter):
    name = "by-loss"

    def describe(self, task):
        return 1, lambda step: step.losses.detach().unsqueeze(1)


class Ones(nn.Module):
    """A weighting network that always says one."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, signals):
        return torch.ones_like(signals) + 0 * self.unused


@dataclass(frozen=True)
class AlwaysOne(ByLoss):
    name = "always-one"

    def network(self, signals):
        return Ones()


@pytest.fixture
def task(make_task):
    made = make_task(count=24, batch_size=8, trusted_batch_size=4, epochs=4)
    rows = torch.cat([(made.train.labels == label).nonzero()[:2, 0] for label in range(3)])
    return with_trusted(made, rows)


def with_trusted(task, rows):
    """Grant copies of some training images."""
    trusted = Images(task.train.pixels[rows], task.train.labels[rows], torch.arange(len(rows)))
    return dataclasses.replace(
        task, needs=frozenset({Need.TRUSTED}), grants=Grants(trusted=trusted)
    )


def step_of(task, epoch=0):
    batch = load_batch(task, task.train, torch.arange(8), task.rng("augmentation"))
    return forward(task, task.build_model(), batch, 0.5, epoch)


def last(checkpoints):
    *_, final = checkpoints
    return final


def test_a_network_that_says_one_is_plain_sgd_bit_for_bit(task):
    meta = last(AlwaysOne().fit(task)).model.state_dict()
    plain = last(
        supervised(task, task.build_model(), lambda step: torch.ones_like(step.losses))
    ).model.state_dict()
    for name, value in plain.items():
        assert torch.equal(value, meta[name]), name


@pytest.mark.parametrize("normalisation", ["none", "sum"])
def test_a_step_is_meta_weight_nets_written_out(task, normalisation):
    weigh = ByLoss(normalisation=normalisation, meta_learning_rate=0.1).prepare(task)
    step = step_of(task)
    got = weigh(step)

    with task.seeded("weighting network"):
        network = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid())
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1, weight_decay=1e-4)
    trusted = next(endless_batches(task, task.trusted, "trusted", 4))
    losses = step.losses.detach().unsqueeze(1)

    def shares(weights):
        return weights / (len(weights) if normalisation == "none" else weights.sum())

    parameters = dict(step.model.named_parameters())
    gradients = torch.autograd.grad(
        (shares(network(losses).squeeze(1)) * step.losses).sum(),
        list(parameters.values()),
        create_graph=True,
    )
    moved = {
        name: value - step.lr * gradient
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
    }
    step.trusted_loss_at(moved, trusted).backward(inputs=list(network.parameters()))
    optimiser.step()
    expected = shares(network(losses).squeeze(1)) * 8
    torch.testing.assert_close(got, expected.detach(), rtol=1e-3, atol=1e-4)


def test_no_gradient_flows_through_the_weights_of_the_real_step(task):
    weights = ByLoss().prepare(task)(step_of(task))
    assert not weights.requires_grad


def test_the_model_is_untouched_by_weighing(task):
    step = step_of(task)
    before = {name: value.clone() for name, value in step.model.state_dict().items()}
    ByLoss().prepare(task)(step)
    assert all(torch.equal(value, before[name]) for name, value in step.model.state_dict().items())
    assert all(parameter.grad is None for parameter in step.model.parameters())


def test_before_the_network_starts_all_weigh_alike_and_every_step_is_described(task):
    seen = []

    @dataclass(frozen=True)
    class Watched(ByLoss):
        def describe(self, task):
            def losses(step):
                seen.append(step.epoch)
                return step.losses.detach().unsqueeze(1)

            return 1, losses

    weigh = Watched(meta_from=0.5).prepare(task)
    assert torch.equal(weigh(step_of(task, epoch=1)), torch.ones(8))
    assert not torch.equal(weigh(step_of(task, epoch=2)), torch.ones(8))
    assert seen == [1, 2]


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (0.01, 1), (0.5, 2), (1.0, 4)])
def test_the_network_starts_after_its_share_of_the_epochs(task, share, first):
    weigh = ByLoss(meta_from=share).prepare(task)
    alike = [torch.equal(weigh(step_of(task, epoch)), torch.ones(8)) for epoch in range(4)]
    assert alike == [epoch < first for epoch in range(4)]


def test_no_weight_is_below_the_floor(task):
    weights = ByLoss(floor=0.9).prepare(task)(step_of(task))
    assert (weights >= 0.9).all()
    assert (weights < 1).all()


def test_the_network_takes_a_step_only_every_so_often(task, monkeypatch):
    drawn = []

    def watched(*arguments):
        for batch in endless_batches(*arguments):
            drawn.append(batch)
            yield batch

    monkeypatch.setattr(meta, "endless_batches", watched)
    step = step_of(task)
    weigh = ByLoss(meta_every=3, meta_learning_rate=0.1).prepare(task)
    weights = [weigh(step) for _ in range(7)]
    changed = [not torch.equal(one, next_) for one, next_ in itertools.pairwise(weights)]
    assert changed == [False, False, True, False, False, True]
    assert len(drawn) == 3


def test_the_observed_class_joins_the_signals_where_asked_for(task):
    seen = []

    @dataclass(frozen=True)
    class Watched(ByLoss):
        def network(self, signals):
            network = super().network(signals)
            network.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0]))
            return network

    step = step_of(task)
    Watched(class_input=True).prepare(task)(step)
    losses = step.losses.detach().unsqueeze(1)
    assert torch.equal(seen[0], torch.cat([losses, torch.eye(3)[step.batch.labels]], dim=1))


def test_normalised_weights_have_the_mean_one(task):
    weights = ByLoss(normalisation="sum").prepare(task)(step_of(task))
    assert weights.mean().item() == pytest.approx(1.0)


def test_a_clipped_gradient_moves_the_network_by_its_norm_at_most(task, monkeypatch):
    norms = []
    monkeypatch.setattr(
        torch.optim.Adam,
        "step",
        lambda self: norms.append(
            math.sqrt(sum(float(p.grad.square().sum()) for p in self.param_groups[0]["params"]))
        ),
    )
    for clip in (0.0, 1e-4):
        ByLoss(clip=clip).prepare(task)(step_of(task))
    assert norms[0] > 1e-3
    assert norms[1] == pytest.approx(1e-4, rel=1e-2)


def test_faded_weights_are_reported_once(task):
    class Faded(Ones):
        def forward(self, signals):
            return 1e-3 * super().forward(signals)

    @dataclass(frozen=True)
    class Fading(ByLoss):
        def network(self, signals):
            return Faded()

    weigh = Fading().prepare(task)
    weigh(step_of(task, epoch=0))
    with pytest.warns(RuntimeWarning, match="mean weight fell to 0.001 in epoch 1"):
        weigh(step_of(task, epoch=1))
    weigh(step_of(task, epoch=2))  # a second warning would fail the test


def test_hypergradient_reaches_every_parameter_of_the_weighting_network(make_step):
    step, trusted = make_step()
    network = ByLoss(hidden=5).network(1).double()
    losses = step.losses.detach().unsqueeze(1)

    def trusted_loss():
        parameters = dict(step.model.named_parameters())
        gradients = torch.autograd.grad(
            (network(losses).squeeze(1) * step.losses).mean(),
            list(parameters.values()),
            retain_graph=True,
        )
        moved = {
            name: value - step.lr * gradient
            for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
        }
        return step.trusted_loss_at(moved, trusted).item()

    weights = network(losses).squeeze(1)
    weights.backward(hypergradient(step, weights, trusted))
    for parameter in network.parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for index in range(len(flat)):
            value = flat[index].item()
            around = []
            for width in (1e-5, -1e-5):
                flat[index] = value + width
                around.append(trusted_loss())
            flat[index] = value
            assert (around[0] - around[1]) / 2e-5 == pytest.approx(gradient[index].item(), abs=1e-8)


def test_classes_without_a_trusted_image_are_named(task):
    others = (task.train.labels != 1).nonzero().squeeze(1)
    with pytest.warns(RuntimeWarning, match="no trusted image is of b: weights are learned"):
        ByLoss().prepare(with_trusted(task, others))
