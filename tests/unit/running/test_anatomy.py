"""A judged model is compared with ``build_model()`` part by part."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from benchbase.running.anatomy import anatomy, difference_of, digest_of


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))


def test_two_networks_of_one_kind_do_not_differ_whatever_their_values():
    assert difference_of(anatomy(network()), network()) is None


def wider(model):
    model[2] = nn.Linear(3, 4)


def other_class(model):
    model[1] = nn.GELU()


def longer(model):
    model.append(nn.Identity())


def hooked(model):
    model[0].register_forward_hook(lambda *_: None)


def patched(model):
    model[0].forward = lambda images: images


def reordered(model):
    first = model._modules.pop("0")
    model._modules["0"] = first


@pytest.mark.parametrize(
    ("change", "said"),
    [(wider, r"2\.weight: expected \(2, 3\), got \(4, 3\)"),
     (other_class, "1: expected .*ReLU, got .*GELU"),
     (longer, "3: expected nothing, got .*Identity"), (hooked, "0: .* with _forward_hooks"),
     (patched, "0: .* with forward"), (reordered, "in another order")],
)  # fmt: skip
def test_a_part_that_differs_is_named(change, said):
    model = network()
    change(model)
    assert re.search(said, difference_of(anatomy(network()), model))


def test_a_digest_is_of_the_bytes():
    one = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert digest_of([one]) == digest_of([one[:2], one[2:]])
    assert digest_of([one.reshape(2, 2).T]) == digest_of([torch.tensor([1.0, 3.0, 2.0, 4.0])])
    assert digest_of([one]) != digest_of([one.nextafter(torch.tensor(9.0))])
