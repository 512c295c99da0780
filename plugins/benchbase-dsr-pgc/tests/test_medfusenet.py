from __future__ import annotations

import dataclasses
import io

import pytest
import torch
from benchbase_dsr_pgc.training import HiddenImages, Training
from benchbase_medfusenet import FusedFeatures, MedFuseNet, fuse, similarity
from torch import nn
from torch.nn import functional as F

from benchbase.api import ImageShape
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.errors import DataError, UsageError
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.loops import forward, load_batch
from benchbase.seeding import seeded, torch_stream
from benchbase.testing.toy import toy_task

EVERY_VARIANT = pytest.mark.parametrize(
    "backbone",
    [
        MedFuseNet(),
        MedFuseNet(trunk="densenet121"),
        MedFuseNet(low_stage="stem", high_stage="conv3_x", scale=False),
        MedFuseNet(trunk="densenet121", low_stage="stem", high_stage="conv3_x"),
        MedFuseNet(fuse=False),
        MedFuseNet(common=7),
    ],
    ids=str,
)


def build(backbone, channels=3, size=28, classes=4):
    with seeded(0, "initialisation"):
        model = backbone.build(ImageShape(channels, size, size), classes)
    return model.to(memory_format=torch.channels_last)


def random(*shape, purpose="values", dtype=torch.float32):
    return torch.randn(shape, generator=torch_stream(0, purpose), dtype=dtype)


def count_of(module):
    return sum(value.numel() for value in module.parameters())


def shapes_within(model, images):
    """Run ``model``; give the shapes of low and high maps, before and after projection."""
    seen = {}

    def note(name):
        return lambda module, inputs, output: seen.update({name: tuple(output.shape[1:])})

    for name in ("low", "high", "low_projection", "high_projection"):
        getattr(model.body, name).register_forward_hook(note(name))
    seen["features"] = tuple(model.features(images).shape)
    return seen


@pytest.mark.parametrize(
    ("backbone", "size", "low", "high"),
    [
        (MedFuseNet(), 224, (64, 56, 56), (512, 7, 7)),
        (MedFuseNet(trunk="densenet121"), 224, (64, 56, 56), (1024, 7, 7)),
        (MedFuseNet(), 96, (64, 24, 24), (512, 3, 3)),
        (
            MedFuseNet(low_stage="stem", high_stage="conv3_x"),
            224,
            (64, 112, 112),
            (128, 28, 28),
        ),
        (
            MedFuseNet(trunk="densenet121", low_stage="stem", high_stage="conv3_x"),
            224,
            (64, 112, 112),
            (512, 28, 28),
        ),
        (MedFuseNet(), 28, (64, 7, 7), (512, 1, 1)),
        (MedFuseNet(trunk="densenet121"), 32, (64, 8, 8), (1024, 1, 1)),
    ],
    ids=str,
)
def test_maps_have_the_sizes_of_the_definition(backbone, size, low, high):
    with torch.device("meta"):
        model = backbone.build(ImageShape(3, size, size), 7)
        seen = shapes_within(model, torch.zeros(2, 3, size, size))
    assert seen == {
        "low": low,
        "high": high,
        "low_projection": (256, *low[1:]),
        "high_projection": (256, *high[1:]),
        "features": (2, 256),
    }


def test_fusion_adds_as_many_parameters_as_the_definition_says():
    with torch.device("meta"):
        model = MedFuseNet().build(ImageShape(3, 224, 224), 7)
        plain = ResNet18().build(ImageShape(3, 224, 224), 7)
        deep = MedFuseNet(trunk="densenet121").build(ImageShape(3, 224, 224), 2)
    body = model.body
    assert isinstance(body, FusedFeatures)
    assert count_of(body.low_projection) == 16_640
    assert count_of(body.high_projection) == 131_328
    assert count_of(model.head) == 1_799
    assert count_of(model.body) == count_of(plain.body) + 16_640 + 131_328
    assert count_of(deep.head) == 514
    assert count_of(deep.body.high_projection) == 1024 * 256 + 256


@pytest.mark.parametrize(("fused", "count"), [(True, 98_688), (False, 328_320)])
def test_the_projection_of_a_student_has_as_many_parameters_as_the_definition_says(fused, count):
    """256 - 256 - 128; from the trunk's 512 features where they are not fused."""
    task = dataclasses.replace(
        toy_task(channels=1, size=32), build_model=lambda: build(MedFuseNet(fuse=fused), 1, 32, 3)
    )
    training = Training(task, HiddenImages(task.train.pixels, task.train.rows))
    assert count_of(training.student.projection) == count


@EVERY_VARIANT
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_small_images_of_one_and_three_channels_are_classified(backbone, channels, size):
    model = build(backbone, channels, size)
    images = random(3, channels, size, size)
    features = model.features(images)
    assert features.shape == (3, backbone.common if backbone.fuse else 512)
    assert model.head(features).shape == (3, 4)


def test_one_image_of_no_square_shape_is_classified():
    model = MedFuseNet().build(ImageShape(1, 28, 45), 4).eval()
    assert model(random(1, 1, 28, 45)).shape == (1, 4)


@EVERY_VARIANT
def test_training_moves_every_parameter(backbone):
    model = build(backbone, size=40)
    F.cross_entropy(model(random(4, 3, 40, 40)), torch.tensor([0, 1, 2, 3])).backward()
    still = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert still == []


@pytest.mark.parametrize("backbone", [MedFuseNet(), MedFuseNet(trunk="densenet121")], ids=str)
def test_predictions_survive_pickling_and_do_not_depend_on_the_other_images(backbone):
    model = build(backbone)
    model(random(4, 3, 28, 28))  # moves the running statistics
    model.eval()
    images = random(3, 3, 28, 28, purpose="images")
    expected = model(images)
    others = torch.cat((images[:1], 5 * images[1:]))
    torch.testing.assert_close(model(others)[:1], expected[:1])
    torch.testing.assert_close(model(images[:1]), expected[:1])
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    torch.testing.assert_close(loaded(images), expected, rtol=0, atol=0)


def test_columns_of_the_similarity_are_a_softmax_over_low_places():
    low, high = random(2, 5, 12), random(2, 5, 3, purpose="high")
    found = similarity(low, high, 0.7)
    assert found.shape == (2, 12, 3)
    torch.testing.assert_close(found.sum(1), torch.ones(2, 3))
    scores = [0.7 * float(low[1, :, place] @ high[1, :, 2]) for place in range(12)]
    torch.testing.assert_close(found[1, :, 2], torch.tensor(scores).softmax(0))


def test_fusion_does_not_look_at_the_order_of_low_places():
    low, high = random(2, 5, 12), random(2, 5, 3, purpose="high")
    order = torch.randperm(12, generator=torch_stream(0, "order"))
    torch.testing.assert_close(fuse(low[:, :, order], high, 0.4), fuse(low, high, 0.4))


def test_fusion_of_maps_that_are_zero_or_alike_everywhere():
    low, high = random(2, 5, 12), random(2, 5, 3, purpose="high")
    mean = low.mean(2, keepdim=True).expand(-1, -1, 3)
    torch.testing.assert_close(fuse(low, torch.zeros_like(high), 0.4), mean)
    alike = low[:, :, :1].expand(-1, -1, 12)
    torch.testing.assert_close(fuse(alike, high, 0.4), high + alike[:, :, :1])
    torch.testing.assert_close(fuse(torch.zeros_like(low), high, 0.4), high)


def test_the_mean_before_the_head_equals_class_maps_of_the_size_of_the_image():
    # The text's last layer: a 1x1 convolution to classes, up-sampled to the image.
    model = build(MedFuseNet(), size=64).eval()
    images = random(2, 3, 64, 64)
    body = model.body
    low = body.low(images)
    high = body.high_projection(body.high(low)).flatten(2)
    maps = fuse(body.low_projection(low).flatten(2), high, 256**-0.5).view(2, 256, 2, 2)
    class_maps = F.conv2d(maps, model.head.weight[:, :, None, None], model.head.bias)
    enlarged = F.interpolate(class_maps, size=(64, 64), mode="bilinear")
    torch.testing.assert_close(enlarged.mean((2, 3)), model(images), rtol=1e-4, atol=1e-5)


def test_unscaled_similarities_are_an_option():
    scaled, plain = build(MedFuseNet()), build(MedFuseNet(scale=False))
    assert scaled.body.scale == 1 / 16
    assert plain.body.scale == 1
    images = random(3, 3, 28, 28)
    assert not torch.allclose(scaled(images), plain(images))


@pytest.mark.parametrize("fused", [True, False])
def test_the_first_layer_learns_through_the_low_maps_alone_where_they_are_fused(fused):
    model = build(MedFuseNet(fuse=fused))
    high = model.body.high if fused else model.body[1]
    high.register_forward_hook(lambda module, inputs, output: output.detach())
    model(random(4, 3, 28, 28)).square().sum().backward()
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    assert (first.weight.grad is not None) == fused
    assert not fused or first.weight.grad.norm() > 1e-6


def test_without_fusion_it_is_the_trunk():
    model, trunk = build(MedFuseNet(fuse=False)), build(ResNet18())
    weights = dict(zip(model.state_dict(), trunk.state_dict().values(), strict=True))
    model.load_state_dict(weights)
    images = random(3, 3, 28, 28)
    torch.testing.assert_close(model(images), trunk(images))


@pytest.mark.parametrize("trunk", ["resnet18", "densenet121"])
def test_the_bilevel_step_goes_through_it(trunk):
    def build_model():
        return build(MedFuseNet(trunk=trunk), 1, 32, 3).double()

    task = dataclasses.replace(
        toy_task(channels=1, size=32),
        build_model=build_model,
        normalise=lambda pixels: pixels.double() / 128 - 1,
    )
    augmentation = task.rng("augmentation")
    batch, trusted = (
        load_batch(task, task.train, positions, augmentation)
        for positions in (torch.arange(4), torch.arange(4, 8))
    )
    step = forward(task, task.build_model(), batch, 0.05, 0)
    weights = torch.tensor([0.3, 0.9, 0.1, 0.7], dtype=torch.float64)
    found = hypergradient(step, weights, trusted)

    parameters = dict(step.model.named_parameters())
    weights.requires_grad_()
    loss = (weights * step.losses).mean()
    gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
    virtual = {
        name: value - step.lr * gradient
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
    }
    (expected,) = torch.autograd.grad(step.trusted_loss_at(virtual, trusted), weights)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-12)
    assert expected.norm() > 0


def test_pretrained_weights_are_those_of_the_trunk():
    for trunk in ("resnet18", "densenet121"):
        with pytest.raises(DataError, match="imagenet: no file of plain weights"):
            MedFuseNet(trunk=trunk, weights="imagenet").build(ImageShape(3, 32, 32), 4)


def test_two_channels_are_refused():
    with pytest.raises(UsageError, match="1 or 3 channels, these have 2"):
        MedFuseNet().build(ImageShape(2, 32, 32), 4)
