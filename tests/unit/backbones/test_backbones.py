import io

import pytest
import torch
from torch import nn

from benchbase.api import ImageShape
from benchbase.backbones import small_cnn
from benchbase.backbones.resnet32 import ResNet32
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.backbones.torchvision_families import (
    DenseNet121,
    EfficientNetB0,
    ResNet18,
    ResNet34,
    ResNet50,
)
from benchbase.errors import UsageError
from benchbase.seeding import torch_stream

WIDTHS = {
    SmallCNN(): 64,
    ResNet32(): 64,
    ResNet18(): 512,
    ResNet18(stem="small"): 512,
    DenseNet121(): 1024,
    EfficientNetB0(): 1280,
}
EVERY_BACKBONE = pytest.mark.parametrize("backbone", WIDTHS, ids=str)


def images_of(channels, size, count=3):
    images = torch.rand(count, channels, size, size)
    return images.contiguous(memory_format=torch.channels_last)


def build(backbone, channels=3, size=28, classes=4):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = backbone.build(ImageShape(channels, size, size), classes)
    return model.to(memory_format=torch.channels_last)


@EVERY_BACKBONE
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_small_images_of_one_and_three_channels_are_classified(backbone, channels, size):
    model = build(backbone, channels, size)
    images = images_of(channels, size)
    features = model.features(images)
    assert features.shape == (3, WIDTHS[backbone])
    assert model.head(features).shape == (3, 4)


@EVERY_BACKBONE
def test_logits_are_the_head_of_the_features_and_survive_pickling(backbone):
    model = build(backbone).eval()
    images = images_of(3, 28)
    expected = model(images)
    torch.testing.assert_close(model.head(model.features(images)), expected, rtol=0, atol=0)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    torch.testing.assert_close(loaded(images), expected, rtol=0, atol=0)


@EVERY_BACKBONE
def test_the_head_is_linear_and_nothing_else(backbone):
    assert isinstance(build(backbone).head, nn.Linear)


@EVERY_BACKBONE
def test_training_moves_every_parameter(backbone):
    model = build(backbone).train()
    model(images_of(3, 28, count=4)).logsumexp(1).sum().backward()
    without = [name for name, value in model.named_parameters() if value.grad is None]
    assert without == []


@EVERY_BACKBONE
def test_initial_weights_follow_the_global_stream(backbone):
    for (name, value), other in zip(
        build(backbone).named_parameters(), build(backbone).parameters(), strict=True
    ):
        assert torch.equal(value, other), name


def test_dropout_before_a_head_is_in_the_features_that_it_reads():
    features = build(EfficientNetB0()).train().features(images_of(3, 28))
    assert 0.1 < float((features == 0).float().mean()) < 0.3


@pytest.mark.parametrize(("backbone", "width"), [(ResNet34(), 512), (ResNet50(), 2048)], ids=str)
def test_larger_resnets_share_the_adapter(backbone, width):
    assert build(backbone).features(images_of(3, 28)).shape == (3, width)


def test_images_of_96_pixels_are_classified():
    for backbone in (SmallCNN(), ResNet32(), ResNet18()):
        assert build(backbone, size=96)(images_of(3, 96)).shape == (3, 4)


def test_activations_of_one_channel_images_lie_channels_last():
    images = torch.rand(2, 1, 28, 28).as_strided((2, 1, 28, 28), (784, 1, 28, 1))
    for model in (build(SmallCNN(), 1), build(ResNet18(), 1)):
        first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
        shown = images.expand(-1, first.in_channels, -1, -1)
        assert first(shown).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [6, 7])
def test_pooling_before_relu_is_the_same_function(size):
    maps = torch.randn(2, 3, size, size)
    relu, pool = nn.ReLU(), small_cnn.MaxPool2x2()
    expected = nn.MaxPool2d(2)(relu(maps))
    assert torch.equal(relu(pool(maps)), expected)
    with torch.inference_mode():
        assert torch.equal(relu(pool(maps)), expected)
    kinds = [type(layer) for layer in build(SmallCNN()).body[:4]]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, small_cnn.MaxPool2x2, nn.ReLU]


def test_resnet32_has_the_published_size():
    assert sum(value.numel() for value in build(ResNet32(), classes=10).parameters()) == 464_154
    convolutions = [m for m in build(ResNet32()).modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 31


def test_small_stem_keeps_the_resolution():
    stock, small = build(ResNet18(), size=32), build(ResNet18(stem="small"), size=32)
    images = images_of(3, 32)
    assert stock.body.maxpool(stock.body.conv1(images)).shape[2:] == (8, 8)
    assert small.body.maxpool(small.body.conv1(images)).shape[2:] == (32, 32)


def test_two_channels_are_refused_where_the_stem_takes_three():
    with pytest.raises(UsageError, match="1 or 3 channels, these have 2"):
        ResNet18().build(ImageShape(2, 32, 32), 4)


@pytest.mark.parametrize("size", [28, 32, 45])
def test_small_cnn_predicts_the_same_with_and_without_inference_mode(size: int) -> None:
    model = SmallCNN().build(ImageShape(1, size, size), 4).eval()
    images = torch.randn(3, 1, size, size, generator=torch_stream(0, "images"))
    with torch.no_grad():
        expected = model(images)
    with torch.inference_mode():
        assert torch.equal(model(images), expected)
