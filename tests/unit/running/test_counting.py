"""Updates are counted whatever loop makes them."""

from __future__ import annotations

import copy
import re

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


def test_writing_in_place_is_an_update_too(counter, model):
    for _ in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.1)
    assert counter.look(model).updates == (3,)


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


class Doubled(nn.Linear):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(features)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda m: setattr(m, "head", nn.Linear(72, 3)), None),
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
