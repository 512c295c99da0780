from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as pruning

from benchbase.api import ImageShape
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.data.augment import make_normalise
from benchbase.kit import feed
from benchbase.kit.feed import _PlainLane
from benchbase.running.predictor import BATCH, COPIES, predict
from benchbase.seeding import torch_stream

CPU = torch.device("cpu")


def lively(model: nn.Module) -> nn.Module:
    """Give batch norms statistics and scales that are not those of a fresh network."""
    stream = torch_stream(0, "statistics")
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                assert tensor is not None
                tensor.data.copy_(torch.rand(tensor.shape, generator=stream) + 0.5)
    return model.eval()


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())


class Walks(nn.Module):
    """Does more between its layers than calling one after the other."""

    def __init__(self, gate: bool = False, hook: bool = False) -> None:
        super().__init__()
        self.body = layers()
        self.head = nn.Linear(4, 3)
        self.gate = gate
        if hook:
            self.body[0].register_forward_hook(double)

    def forward(self, images):
        maps = images
        for layer in self.body:
            maps = layer(maps)
            if self.gate and isinstance(layer, nn.Conv2d):
                maps = maps * maps.mean((2, 3), keepdim=True).sigmoid()
        return self.head(maps.mean((2, 3)))


class UsesTheMapBetween(Walks):
    def forward(self, images):
        between = self.body[0](images)
        return self.head((self.body[1:](between) + between).mean((2, 3)))


class NeedsItsBatchNorm(Walks):
    def forward(self, images):
        scale = self.body[1].weight.sum()
        return super().forward(images) * scale


def double(module, inputs, output):
    return 2 * output


def with_norm(norm) -> nn.Module:
    model = Walks()
    norm(model.body[0])
    return model


def prune(layer: nn.Module) -> None:
    pruning.random_unstructured(layer, "weight", amount=0.5)


MODELS = {
    "plain": lambda: SmallCNN().build(ImageShape(1, 28, 28), 10),
    "in a walk": Walks,
    "gate": lambda: Walks(gate=True),
    "hook": lambda: Walks(hook=True),
    "map between": UsesTheMapBetween,
    "reads a layer": NeedsItsBatchNorm,
    "spectral norm": lambda: with_norm(nn.utils.parametrizations.spectral_norm),
    "weight norm": lambda: with_norm(nn.utils.parametrizations.weight_norm),
    "old spectral norm": lambda: with_norm(nn.utils.spectral_norm),
    "pruning": lambda: with_norm(prune),
    "batch norm after relu": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(), nn.BatchNorm2d(2), nn.Flatten()
    ),
}


def twice(model: nn.Module) -> list[nn.Module]:
    return [copy.deepcopy(model) for _ in range(COPIES)]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_predicted_as_it_is(name):
    model = lively(MODELS[name]())
    shape = (BATCH + 7, 1, 28, 28)
    pixels = torch.randint(0, 256, shape, generator=torch_stream(0, "images")).to(torch.uint8)
    normalise = make_normalise([0.5], [0.5], CPU)
    with torch.inference_mode():
        expected = torch.cat([model(normalise(part)) for part in pixels.split(BATCH)])
    kinds = [type(module) for module in model.modules()]
    torch.testing.assert_close(
        predict(twice(model), pixels, normalise, CPU), expected, rtol=1e-4, atol=1e-4
    )
    assert [type(module) for module in model.modules()] == kinds


def test_images_are_predicted_in_order_and_the_last_batch_is_not_lost():
    class Mean(nn.Module):
        def forward(self, images):
            return images.mean((1, 2, 3))[:, None]

    values = torch.arange(BATCH + 3).remainder(256).to(torch.uint8)
    pixels = values.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous()
    normalise = make_normalise([0.0], [1.0], CPU)
    logits = predict(twice(Mean()), pixels, normalise, CPU)
    torch.testing.assert_close(logits[:, 0] * 255, values.float(), rtol=1e-4, atol=1e-3)


def test_images_that_stay_on_the_host_are_answered_to_the_last_bit_the_same(monkeypatch):
    """A lane that copies at once stands for the way to a device."""
    lanes = []

    def lane_to(device):
        lanes.append(device)
        return _PlainLane(CPU)

    monkeypatch.setattr(feed, "lane_to", lane_to)
    model = lively(SmallCNN().build(ImageShape(1, 28, 28), 10))
    pixels = torch.randint(256, (3 * BATCH + 7, 1, 28, 28), generator=torch_stream(2, "pixels"))
    pixels, normalise = pixels.to(torch.uint8), make_normalise([0.5], [0.25], CPU)
    elsewhere = torch.device("cuda")
    here, there = (predict(twice(model), pixels, normalise, each) for each in (CPU, elsewhere))
    assert torch.equal(here, there)
    assert lanes == [elsewhere]


def test_an_answer_does_not_depend_on_the_batch_that_its_image_is_in():
    model = lively(layers().append(nn.Flatten()).append(nn.Linear(4 * 64, 3)))
    pixels = torch.randint(256, (2 * BATCH, 1, 8, 8), generator=torch_stream(1, "pixels"))
    pixels, normalise = pixels.to(torch.uint8), make_normalise([0.5], [0.25], CPU)
    swapped = torch.cat([pixels[BATCH:], pixels[:BATCH]])
    one, other = (predict(twice(model), each, normalise, CPU) for each in (pixels, swapped))
    assert torch.equal(one, torch.cat([other[BATCH:], other[:BATCH]]))


@pytest.mark.parametrize(("count", "seen"), [(3 * BATCH + 5, [[0, 2], [1, 3]]), (7, [[0], []])])
def test_the_copies_answer_in_turn_and_neither_sees_what_the_other_is_asked(count, seen):
    class Remembers(nn.Sequential):
        def forward(self, images):
            self.met = {*getattr(self, "met", ()), *images[:, 0, 0, 0].mul(255).round().tolist()}
            return super().forward(images).mean((2, 3))

    batch_of_each = torch.arange(count).div(BATCH, rounding_mode="floor").to(torch.uint8)
    pixels = batch_of_each.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    normalise = make_normalise([0.0], [1.0], CPU)
    copies = twice(lively(Remembers(*layers())))
    logits = predict(copies, pixels, normalise, CPU)
    assert [sorted(getattr(model, "met", ())) for model in copies] == seen
    assert len(logits) == count
