"""Networks start from weights in a file, or from torchvision's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision

from benchbase.api import ImageShape
from benchbase.backbones.torchvision_families import FAMILIES, EfficientNetB0, ResNet18
from benchbase.backbones.weights import PINNED, parted, with_weights
from benchbase.data.hashes import file_hash
from benchbase.errors import DataError, UsageError

GREY = ImageShape(1, 32, 32)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network of 1,000 classes, as somebody trained it."""
    path = tmp_path_factory.mktemp("weights") / "mine.pt"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    return path


def test_a_network_starts_from_a_file_but_for_its_last_layer(saved):
    wanted = torch.load(saved, weights_only=True)
    model = ResNet18(weights=str(saved)).build(GREY, 4)
    found = model.body.state_dict()
    assert len(found) == len(wanted) - 2
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in found.items())
    assert model.head.weight.shape == (4, 512)


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
