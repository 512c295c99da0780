"""Networks start from weights in a file, or from torchvision's."""

from __future__ import annotations

import pytest
import torch
import torchvision

from benchbase.api import ImageShape
from benchbase.backbones.torchvision_families import FAMILIES, ResNet18
from benchbase.backbones.weights import PINNED, parted, with_weights
from benchbase.data.hashes import file_hash
from benchbase.errors import DataError, UsageError

GREY = ImageShape(1, 32, 32)


def test_a_network_starts_from_a_file_but_for_its_last_layer(saved):
    wanted = torch.load(saved, weights_only=True)
    model = ResNet18(weights=str(saved)).build(GREY, 4)
    found = model.body.state_dict()
    assert len(found) == len(wanted) - 2
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in found.items())
    assert model.head.weight.shape == (4, 512)


def test_the_default_is_torchvision_s_own_and_pinned(monkeypatch):
    asked = []
    stock = torchvision.models.get_model

    def get_model(name, weights):
        asked.append((name, str(weights)))
        return stock(name)

    monkeypatch.setattr(torchvision.models, "get_model", get_model)
    ResNet18(weights="DEFAULT").build(GREY, 4)
    assert asked == [("resnet18", "ResNet18_Weights.IMAGENET1K_V1")]
    assert {family.name for family in FAMILIES} == PINNED.keys()
    for name, (version, digest) in PINNED.items():
        known = torchvision.models.get_model_weights(name)[version]
        assert f"-{digest}.pth" in known.url
        assert known is torchvision.models.get_model_weights(name).DEFAULT


def test_without_a_network_the_default_says_what_to_do(monkeypatch):
    def get_model(name, weights):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", get_model)
    with pytest.raises(DataError, match=r"pth could not be fetched \(no route.*weights=FILE"):
        ResNet18(weights="DEFAULT").build(GREY, 4)


def test_weights_are_part_of_a_cell_s_key_and_without_any_it_stays_as_it_was(saved):
    assert with_weights("version 1", "resnet18", {"stem": "small"}) == "version 1"
    named = with_weights("version 1", "resnet18", {"weights": str(saved)})
    assert parted(named) == ("version 1", file_hash(saved))
    pinned = with_weights("version 1", "resnet18", {"weights": "DEFAULT"})
    assert parted(pinned) == ("version 1", "IMAGENET1K_V1-f37072fd")
    assert parted(with_weights("code", "mine", {"weights": "DEFAULT"})) == ("code", "DEFAULT")
    assert parted("version 1") == ("version 1", "")


def test_a_file_that_is_missing_is_an_error_before_anything_runs():
    with pytest.raises(UsageError, match=r"resnet18\[weights=absent\.pt\]: there is no such file"):
        with_weights("version 1", "resnet18", {"weights": "absent.pt"})
