"""Weights of a file go into a network; what does not fit is named."""

from __future__ import annotations

import pytest
import torch
import torchvision

from benchbase.api import ImageShape
from benchbase.backbones.loading import load_weights
from benchbase.backbones.torchvision_families import EfficientNetB0, ResNet18
from benchbase.errors import DataError

GREY = ImageShape(1, 32, 32)


def test_the_part_that_is_made_anew_keeps_its_weights(saved):
    network = torchvision.models.resnet18()
    before = network.fc.weight.clone()
    load_weights(network, saved, "fc")
    assert torch.equal(network.fc.weight, before)
    assert torch.equal(network.conv1.weight, torch.load(saved, weights_only=True)["conv1.weight"])


def test_weights_in_a_checkpoint_are_found(saved, tmp_path):
    wanted = torch.load(saved, weights_only=True)
    torch.save({"state_dict": wanted, "epoch": 3}, tmp_path / "checkpoint.pt")
    model = ResNet18(weights=str(tmp_path / "checkpoint.pt")).build(GREY, 4)
    assert torch.equal(model.body.conv1.weight, wanted["conv1.weight"])


def test_a_file_that_does_not_fit_says_which_tensors(saved, tmp_path):
    wanted = torch.load(saved, weights_only=True)
    del wanted["layer1.0.conv1.weight"]
    wanted["extra.bias"] = torch.zeros(3)
    wanted["conv1.weight"] = torch.zeros(64, 3, 3, 3)
    torch.save(wanted, tmp_path / "other.pt")
    with pytest.raises(DataError) as caught:
        ResNet18(weights=str(tmp_path / "other.pt")).build(GREY, 4)
    for text in (
        "other.pt: does not fit ResNet: it lacks layer1.0.conv1.weight;",
        "the network has no extra.bias;",
        "of another shape conv1.weight (64, 3, 3, 3), here (64, 3, 7, 7)",
    ):
        assert text in str(caught.value)
    with pytest.raises(DataError, match=r"it lacks features.* and \d+ more; the network has no"):
        EfficientNetB0(weights=str(saved)).build(GREY, 4)


class Code:
    """What a pickle may hold besides tensors."""


@pytest.mark.parametrize("content", [b"", b"no weights", Code(), {"a": 1}, None])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "odd.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(DataError, match=r"odd\.pt: (no file of plain|expected a state_dict)"):
        ResNet18(weights=str(path)).build(GREY, 4)
