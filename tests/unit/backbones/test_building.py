"""What a backbone may do wrong, and how it is told."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchbase.api import Backbone, Classifier, ImageShape
from benchbase.backbones.building import build_network, try_network
from benchbase.errors import ContractError, PluginError
from benchbase.running.trainer import describe_failure


class Headless(Classifier):
    def features(self, images):
        return images.flatten(1)


class Flat(Headless):
    def __init__(self, outputs):
        super().__init__()
        self.head = nn.Linear(48, outputs)


def made(build):
    kind = type("Made", (Backbone,), {"name": "made", "build": lambda self, *_: build()})
    return kind()


def fail():
    raise KeyError("width")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: None, "build gave NoneType, expected a Classifier"),
        (lambda: nn.Linear(48, 3), "build gave Linear, expected a Classifier"),
        (Headless, "build gave Headless, expected .* a module `head`"),
        (fail, r"raised KeyError: 'width' \(.*test_building\.py, line \d+\)"),
    ],
)
def test_what_is_no_network_is_told_with_the_backbone_s_name(build, message) -> None:
    with pytest.raises(PluginError, match=f"backbone 'made'.*{message}"):
        build_network(made(build), ImageShape(3, 4, 4), 3)


def test_logits_of_another_shape_are_the_backbone_s_and_no_method_s() -> None:
    with pytest.raises(ContractError, match=r"'made': \(2, 3, 4, 4\) images gave \(2, 5\), exp"):
        try_network(made(fail), Flat(5), torch.zeros(2, 3, 4, 4), 3)
    with pytest.raises(PluginError, match="backbone 'made' raised RuntimeError"):
        try_network(made(fail), Flat(3), torch.zeros(2, 3, 5, 5), 3)


def test_a_network_that_is_too_large_ran_out_of_memory_as_before() -> None:
    def too_large():
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")

    with pytest.raises(PluginError) as caught:
        build_network(made(too_large), ImageShape(3, 4, 4), 3)
    assert describe_failure(caught.value).status == "oom"
