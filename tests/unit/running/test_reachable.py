"""What a function can reach is put back in place, shared things as shared; else it is refused."""

from __future__ import annotations

import functools
import math
from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchbase.running.own_code import own_code
from benchbase.running.reachable import CannotKeepError, Reachable
from benchbase.seeding import numpy_stream, torch_stream


class Thing:
    made: Any
    view: Any

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def reach(*roots, given=()):
    return Reachable(roots, given, own_code())


def test_local_variables_of_the_functions_around_are_put_back():
    count, seen = 0, [0]

    def outer():
        def count_up():
            nonlocal count
            count += 1
            seen.append(count)

        return count_up

    step = outer()
    found = reach(step)
    step()
    written = found.written("beside")
    step()
    step()
    assert found.put_back(written) == "beside"
    assert (count, seen) == (1, [0, 1])


@pytest.mark.parametrize(
    ("thing", "change", "look"),
    [
        ({"a": 1}, lambda d: d.update(a=2, b=3), dict),
        ([1], lambda x: x.append(2), list),
        ({1}, lambda x: x.add(2), set),
        (deque([1], maxlen=1), lambda x: x.append(2), list),
        (np.zeros(2), lambda x: x.fill(1), np.ndarray.tolist),
        (torch.zeros(2), lambda x: x.fill_(math.nan), torch.Tensor.tolist),
        (torch.zeros(1), lambda x: x.neg_(), lambda x: x.signbit().item()),
        (Thing(a=1), lambda x: x.__dict__.update(a=2, b=3), vars),
        (
            torch_stream(0, "a"),
            lambda g: torch.rand(1, generator=g),
            lambda g: g.get_state().tolist(),
        ),
        (numpy_stream(0, "a"), lambda g: g.random(), lambda g: g.bit_generator.state),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_thing_is_put_back_itself_and_not_replaced(thing, change, look):
    found, before = reach(functools.partial(print, thing)), repr(look(thing))
    written = found.written(None)
    change(thing)
    assert repr(look(thing)) != before
    found.put_back(written)
    assert repr(look(thing)) == before


def test_an_optimiser_s_momentum_belongs_to_the_same_parameters():
    model = nn.Linear(2, 1)
    optimiser = torch.optim.Adam(model.parameters())
    found = reach(model, optimiser)

    def step():
        optimiser.zero_grad()
        model(torch.ones(3, 2)).sum().backward()
        optimiser.step()
        return model.weight.tolist()

    step()
    written = found.written(None)
    twice = [step(), step()]
    found.put_back(written)
    assert [step(), step()] == twice


def test_what_was_made_on_the_way_is_shared_by_who_shared_it():
    one, other = Thing(), Thing()
    found = reach(one, other)
    one.made = other.made = [torch.ones(2)]
    written = found.written(None)
    del one.made, other.made
    found.put_back(written)
    assert one.made is other.made
    assert one.made[0].tolist() == [1, 1]


def test_what_is_given_is_named_and_not_written():
    given, holder = torch.zeros(1000, 1000), Thing()
    found = reach(holder, given=[given])
    holder.view = given
    written = found.written(given)
    assert len(written) < 10_000
    del holder.view
    assert found.put_back(written) is given
    assert holder.view is given


def test_what_was_not_moved_does_not_look_moved():
    tensor = torch.zeros(2)
    found = reach(tensor)
    written, version = found.written(None), tensor._version
    found.put_back(written)
    assert tensor._version == version


class Slotted:
    __slots__ = ("a",)


@pytest.mark.parametrize(
    "thing",
    [(each for each in [1]), iter([1]), Slotted()],
    ids=["generator", "iterator", "slots"],
)
def test_what_hides_its_state_is_refused(thing):
    with pytest.raises(CannotKeepError, match="cannot be written"):
        reach(lambda: thing)


def test_a_function_made_on_the_way_is_refused_when_it_is_written():
    holder = Thing()
    found = reach(holder)
    holder.made = lambda: 0
    with pytest.raises(CannotKeepError):
        found.written(None)


def test_another_set_of_things_is_not_filled():
    written = reach(torch.zeros(2)).written(None)
    with pytest.raises(CannotKeepError, match="another set"):
        reach(torch.zeros(3)).put_back(written)
