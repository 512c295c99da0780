"""Updates are counted whatever loop makes them."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from benchbase.errors import ContractError
from benchbase.kit.teacher import Teacher
from benchbase.running.counting import Counter
from benchbase.testing.toy import toy_task


@pytest.fixture
def counter():
    counter = Counter()
    with counter.counting():
        yield counter


@pytest.fixture
def model(counter):
    return counter.watching(toy_task()).build_model()


def backward(model: nn.Module) -> None:
    model(torch.randn(4, 3, 12, 12)).square().mean().backward()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, foreach=False),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, foreach=True),
        lambda p: torch.optim.AdamW(p, lr=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.1, fused=True),
    ],
)
def test_a_step_of_any_optimiser_is_one_update(counter, model, make):
    optimiser = make(model.parameters())
    for _ in range(3):
        backward(model)
        optimiser.step()
    assert counter.look(model).updates == (3,)


def test_writing_in_place_is_an_update_where_a_gradient_was_before(counter, model):
    for forward in (False, True, True):
        if forward:
            backward(model)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.1)
    assert counter.look(model).updates == (2,)


def test_what_cannot_be_counted_fails(counter, model):
    counter.look(model)
    for parameter in model.parameters():
        parameter.data -= 0.1
    with pytest.raises(ContractError, match=r"was `\.data` written"):
        counter.look(model)


def test_other_networks_and_virtual_steps_do_not_count(counter, model):
    weigher = nn.Linear(1, 1)
    optimiser = torch.optim.SGD(weigher.parameters(), lr=0.1)
    weigher(torch.ones(1, 1)).sum().backward()
    optimiser.step()
    virtual = {name: (value - 0.1).detach() for name, value in model.named_parameters()}
    torch.func.functional_call(model, virtual, (torch.randn(2, 3, 12, 12),))
    assert counter.look(model).updates == (0,)


def test_a_moving_average_has_the_updates_of_its_source(counter, model):
    teacher = Teacher(model, decay=0.9)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        backward(model)
        optimiser.step()
        teacher.update(model)
    counted = counter.look(teacher.model)
    assert (counted.judged, counted.difference) == (2, None)


def test_a_trained_copy_that_is_judged_is_counted(counter, model):
    copied = copy.deepcopy(model)
    optimiser = torch.optim.SGD(copied.parameters(), lr=0.1)
    for _ in range(2):
        backward(copied)
        optimiser.step()
    assert counter.look(copied).judged == 2


def test_images_are_counted_where_gradients_are_made(counter, model):
    backward(model)
    with torch.no_grad():
        model(torch.randn(50, 3, 12, 12))
    model.head(model.features(torch.randn(3, 3, 12, 12)))
    assert counter.look(model).images_with_gradient == 4 + 3


STEPS = 20
Write = Callable[[nn.Module, torch.Tensor], None]


def train(model: nn.Module, write: Write, steps: int = STEPS) -> nn.Module:
    """Train by a loop of one's own."""
    for _ in range(steps):
        write(model, model(torch.randn(4, 3, 12, 12)).square().mean())
    return model


def by_optimiser(*optimisers: torch.optim.Optimizer) -> Write:
    def write(model: nn.Module, loss: torch.Tensor) -> None:
        model.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()

    return write


def by_sgd(model: nn.Module) -> Write:
    return by_optimiser(torch.optim.SGD(model.parameters(), lr=0.01))


@torch.no_grad()
def by_hand(model: nn.Module, loss: torch.Tensor) -> None:
    """Two writes an update."""
    parameters = [*model.parameters()]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.mul_(0.999)
        parameter.sub_(0.01 * gradient)


def by_data(model: nn.Module, loss: torch.Tensor) -> None:
    loss.backward()
    for parameter in model.parameters():
        parameter.data -= 0.01 * parameter.grad


def test_many_writes_by_hand_after_one_gradient_are_one_update(counter, model):
    assert counter.look(train(model, by_hand)).updates == (STEPS,)


@pytest.mark.parametrize("by_whom", [by_sgd, lambda _: by_hand], ids=["optimiser", "hand"])
def test_copies_go_on_from_the_count_of_what_they_were_copied_from(counter, model, by_whom):
    train(model, by_whom(model))
    copied = copy.deepcopy(model)
    train(copied, by_whom(copied))
    assert counter.look(copied).judged == 2 * STEPS
    snapshot = copy.deepcopy(copied)
    train(copied, by_whom(copied))
    assert counter.look(snapshot).judged == 2 * STEPS


def test_a_network_that_starts_from_another_ones_state_goes_on_from_its_count(counter):
    build = counter.watching(toy_task()).build_model
    first, second = build(), build()
    train(first, by_sgd(first))
    second.load_state_dict(first.state_dict())
    assert counter.look(train(second, by_sgd(second))).updates == (STEPS, 2 * STEPS)


def test_what_is_trained_before_a_cell_goes_on_counts(counter, model):
    before = counter.look(train(model, by_sgd(model)))
    fewer = dataclasses.replace(before, updates=(1,), images_with_gradient=1)
    counter.go_on_from(fewer)
    after = counter.look(model)
    assert (after.updates, after.images_with_gradient) == ((STEPS,), before.images_with_gradient)
    more = dataclasses.replace(before, updates=(100,))
    counter.go_on_from(more)
    assert counter.look(train(model, by_sgd(model))).updates == (100 + STEPS,)


def test_several_updates_within_one_step_of_an_optimiser_count_each(counter, model):
    optimiser = torch.optim.LBFGS(model.parameters(), lr=0.001, max_iter=5, tolerance_grad=0.0)
    images = torch.randn(4, 3, 12, 12)
    losses = []

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        losses.append(model(images).square().mean())
        losses[-1].backward()
        return losses[-1]

    optimiser.step(closure)
    assert len(losses) > 2
    assert counter.look(model).updates == (len(losses),)


def test_data_written_between_steps_that_are_counted_fails(counter, model):
    """Each of 4 x 20 x 8 parameters passed is checked by chance; that none is, is impossible."""
    sgd = by_sgd(model)
    for _ in range(STEPS):
        train(model, sgd, 1)
        train(model, by_data, 4)
    with pytest.raises(ContractError, match=r"was `\.data` written"):
        counter.look(model)


def starts_equal(counter: Counter) -> Iterator[nn.Module]:
    build = counter.watching(toy_task()).build_model
    first, second = build(), build()
    second.load_state_dict(first.state_dict())
    train(first, by_sgd(first))
    yield train(second, by_sgd(second))


def has_two_optimisers(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    body = torch.optim.SGD(model.body.parameters(), lr=0.01)
    head = torch.optim.AdamW(model.head.parameters(), lr=0.01)
    yield train(model, by_optimiser(body, head))


def initialises_anew(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    nn.init.kaiming_normal_(model.head.weight)
    yield train(model, by_sgd(model))


def projects(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    for _ in range(STEPS):
        train(model, by_sgd(model), 1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.clamp_(-0.05, 0.05)
    yield model


def evaluates_other_values(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    for _ in range(STEPS):
        kept = copy.deepcopy(model.state_dict())
        model.load_state_dict({name: value * 2 for name, value in kept.items()})
        model.load_state_dict(kept)
        yield train(model, by_sgd(model), 1)


def averages_by_hand(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    average = copy.deepcopy(model)
    for _ in range(STEPS):
        train(model, by_sgd(model), 1)
        with torch.no_grad():
            for own, new in zip(average.parameters(), model.parameters(), strict=True):
                own.mul_(0.9).add_(new, alpha=0.1)
        yield average


def averages_in_data(counter: Counter) -> Iterator[nn.Module]:
    build = counter.watching(toy_task()).build_model
    model, average = build(), build()
    for _ in range(STEPS):
        train(model, by_sgd(model), 1)
        for own, new in zip(average.parameters(), model.parameters(), strict=True):
            own.data.mul_(0.9).add_(new.data, alpha=0.1)
        yield average


def freezes_a_part(counter: Counter) -> Iterator[nn.Module]:
    model = counter.watching(toy_task()).build_model()
    model.body.requires_grad_(False)
    yield train(model, by_sgd(model))


@pytest.mark.parametrize(
    "method",
    [
        starts_equal,
        has_two_optimisers,
        initialises_anew,
        projects,
        evaluates_other_values,
        averages_by_hand,
        averages_in_data,
        freezes_a_part,
    ],
)
def test_whoever_makes_the_recipe_s_updates_is_counted_so(counter, method):
    *_, last = [counter.look(judged) for judged in method(counter)]
    assert (last.judged, max(last.updates)) == (STEPS, STEPS)


def test_parts_trained_one_after_the_other_are_updates_of_one_network(counter, model):
    train(model, by_optimiser(torch.optim.SGD(model.body.parameters(), lr=0.01)))
    train(model, by_optimiser(torch.optim.SGD(model.head.parameters(), lr=0.01)))
    counted = counter.look(model)
    assert (counted.judged, counted.updates) == (2 * STEPS, (2 * STEPS,))


class Doubled(nn.Linear):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(features)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda m: m.head.reset_parameters(), None),
        (lambda m: setattr(m, "head", nn.Linear(72, 3)), "head.weight: expected a parameter of"),
        (lambda m: setattr(m, "features", torch.flatten), "the model: .* with features"),
        (lambda m: setattr(m, "head", Doubled(72, 3)), "head: expected torch.nn.modules.linear"),
        (lambda m: setattr(m, "head", nn.Linear(72, 4)), r"head.weight: expected \(3, 72\)"),
        (lambda m: m.head.register_forward_hook(print), "head: .* with _forward_hooks"),
        (lambda m: setattr(m, "extra", nn.Linear(1, 1)), "extra: expected nothing"),
    ],
)
def test_what_is_judged_is_compared_with_a_fresh_network(counter, model, change, difference):
    change(model)
    found = counter.look(model).difference
    assert (found is None) == (difference is None)
    if difference is not None:
        assert re.search(difference, found)
