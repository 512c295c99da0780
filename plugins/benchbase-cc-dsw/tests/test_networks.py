"""The weighting networks, and what they learn from."""

import dataclasses

import pytest
import torch
from benchbase_cc_dsw import CCDSW, TwoStage

from benchbase.api import Need
from benchbase.kit.loops import endless_batches, forward, load_batch


def test_flat_fusion_is_the_one_hidden_layer_network(toy_task):
    network = CCDSW(hidden=7).network(4)
    assert [tuple(p.shape) for p in network.parameters()] == [(7, 4), (7,), (1, 7), (1,)]


def test_two_stages_see_each_space_through_its_own_code():
    network = CCDSW(fusion="two_stage", hidden=9).network(7)
    assert isinstance(network, TwoStage)
    signals = torch.rand(5, 7)
    assert network.get_parameter("encoders.1.2.weight").shape == (1, 9)
    assert network.get_parameter("weigher.0.weight").shape == (9, 1 + 1 + 3)
    weights = network(signals)
    codes = [network.encoders[0](signals[:, :2]), network.encoders[1](signals[:, 2:4])]
    torch.testing.assert_close(weights, network.weigher(torch.cat([*codes, signals[:, 4:]], 1)))
    assert weights.shape == (5, 1)
    assert ((weights > 0) & (weights < 1)).all()
    weights.sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("changed", [0, 1], ids=["features", "predictions"])
def test_a_change_in_one_space_reaches_its_own_code_alone(toy_task, toy_step, changed):
    task = toy_task()
    weighter = CCDSW(fusion="two_stage")
    with task.seeded("weighting network"):
        network = weighter.network(4)
    stream, labels = torch.Generator().manual_seed(0), torch.tensor([0, 0, 1, 1, 2, 2])
    spaces, others = (
        [torch.rand(6, width, generator=stream) for width in (5, 3)] for _ in range(2)
    )

    def codes_and_weights(step):
        codes: list[list[torch.Tensor]] = [[], []]
        watching = [
            encoder.register_forward_hook(lambda module, inputs, code, to=to: to.append(code))
            for encoder, to in zip(network.encoders, codes, strict=True)
        ]
        weights = network(weighter.describe(task)[1](step))
        for watch in watching:
            watch.remove()
        return [code for (code,) in codes], weights

    codes, weights = codes_and_weights(toy_step(*spaces, labels))
    spaces[changed] = others[changed]
    codes_now, weights_now = codes_and_weights(toy_step(*spaces, labels))
    assert not torch.allclose(codes_now[changed], codes[changed])
    assert torch.equal(codes_now[1 - changed], codes[1 - changed])
    assert not torch.allclose(weights_now, weights)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    ("fusion", "normalisation"), [("two_stage", "none"), ("two_stage", "sum"), ("flat", "sum")]
)
def test_the_networks_gradient_is_the_one_of_differences(
    toy_task, monkeypatch, fusion, normalisation, classes
):
    task = toy_task(num_classes=classes, per_class=6, needs=frozenset({Need.TRUSTED}))
    task = dataclasses.replace(task, normalise=lambda pixels: pixels.double() / 64 - 2)
    made = []

    class Precise(CCDSW):
        def network(self, signals):
            made.append(super().network(signals).double())
            return made[-1]

    weighter = Precise(fusion=fusion, normalisation=normalisation, hidden=6)
    weigh = weighter.prepare(task)
    (network,) = made
    batch = load_batch(task, task.train, torch.arange(12), task.rng("augmentation"))
    step = forward(task, task.build_model().double(), batch, 0.3, 0)
    trusted = next(endless_batches(task, task.trusted, "trusted", task.recipe.trusted_batch_size))
    signals = weighter.describe(task)[1](step)
    parameters = dict(step.model.named_parameters())

    def trusted_loss():
        weights = network(signals).squeeze(1)
        shares = weights / (weights.sum() if normalisation == "sum" else len(weights))
        gradients = torch.autograd.grad(
            (shares * step.losses).sum(), list(parameters.values()), retain_graph=True
        )
        moved = {
            name: value - step.lr * gradient
            for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
        }
        return step.trusted_loss_at(moved, trusted).item()

    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: None)  # what counts is what it gets
    weigh(step)
    for name, parameter in network.named_parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        assert gradient.any(), name
        for index, value in enumerate(flat.tolist()):
            around = []
            for width in (1e-5, -1e-5):
                flat[index] = value + width
                around.append(trusted_loss())
            flat[index] = value
            slope = (around[0] - around[1]) / 2e-5
            assert slope == pytest.approx(gradient[index].item(), rel=1e-5, abs=1e-9), name


def test_codes_of_two_stages_are_not_bounded():
    network = CCDSW(fusion="two_stage").network(4)
    with torch.no_grad():
        network.get_parameter("encoders.0.2.bias").fill_(50.0)
    assert (network.get_submodule("encoders.0")(torch.rand(5, 2)) > 1).all()
