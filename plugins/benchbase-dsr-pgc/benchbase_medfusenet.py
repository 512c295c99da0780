"""MedFuseNet, the network of DSRPGC: early maps join late ones by similarity."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchbase.api import Backbone, Classifier, ImageShape, option
from benchbase.backbones.torchvision_families import (
    AdaptedClassifier,
    DenseNet121,
    ResNet18,
    TorchvisionBackbone,
)

TRUNKS: dict[str, type[TorchvisionBackbone]] = {"resnet18": ResNet18, "densenet121": DenseNet121}
STAGES = {
    "resnet18": {
        "stem": ("relu", 64),
        "pooled": ("maxpool", 64),
        "conv3_x": ("layer2", 128),
        "last": ("layer4", 512),
    },
    "densenet121": {
        "stem": ("relu0", 64),
        "pooled": ("pool0", 64),
        "conv3_x": ("denseblock2", 512),
        "last": ("relu5", 1024),
    },
}
"""Of each trunk: the last layer of a stage, and how many channels it gives."""


def similarity(
    low: Float[Tensor, "batch channels low_places"],
    high: Float[Tensor, "batch channels high_places"],
    scale: float,
) -> Float[Tensor, "batch low_places high_places"]:
    """Give S of equation 10: how much each low place has of each high one; columns sum to one."""
    # torch's fused attention, which would do without S in memory, has no forward derivative.
    return torch.softmax(low.transpose(1, 2) @ (scale * high), 1)


def fuse(
    low: Float[Tensor, "batch channels low_places"],
    high: Float[Tensor, "batch channels high_places"],
    scale: float,
) -> Float[Tensor, "batch channels high_places"]:
    """Add to each high place the mean of the low ones, weighted by similarity (equation 11)."""
    return low @ similarity(low, high, scale) + high


class FusedFeatures(nn.Module):
    """A trunk in two parts, 1x1 convolutions to a common width, fusion and the mean over places."""

    def __init__(
        self, low: nn.Module, high: nn.Module, widths: tuple[int, int], common: int, scale: float
    ) -> None:
        super().__init__()
        self.low = low
        self.high = high
        self.low_projection = nn.Conv2d(widths[0], common, 1)
        self.high_projection = nn.Conv2d(widths[1], common, 1)
        self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, common)."""
        low = self.low(images)
        high = self.high(low)
        places = (self.low_projection(low).flatten(2), self.high_projection(high).flatten(2))
        return fuse(*places, self.scale).mean(2)


@dataclass(frozen=True)
class MedFuseNet(Backbone):
    """A trunk whose last maps look up similar places of its first ones; 256 features.

    Liu, Liu, Liu: Mathematics 12(22), 3572, 2024, section 3. Known from the text: 1x1 convolutions
    of early and late maps to one width, their similarity, its product with the early maps, the
    sum with the late ones. Inferred: which maps, the softmax over early places (as in position
    attention, to which the wording points), its scale, and the trunk. The text's last layer maps
    to classes and up-samples to the image; the mean of that over places is the classifier here.
    """

    name: ClassVar[str] = "medfusenet"
    version: ClassVar[str] = "1"
    trunk: str = option("resnet18", "the network whose maps are fused", choices=tuple(TRUNKS))
    weights: str = option("", "File of weights for the trunk, or DEFAULT for torchvision's own.")
    common: int = option(256, "channels to which both maps are brought", min=1)
    scale: bool = option(
        True, "divide similarities by the root of the channels, against a saturated softmax"
    )
    fuse: bool = option(True, "fuse; without it the trunk's last maps are averaged over places")
    low_stage: str = option(
        "pooled", "the early maps: after the first pooling, or before", choices=("pooled", "stem")
    )
    high_stage: str = option(
        "last",
        "the late maps: the last ones, or those of conv3_x (DenseNet: of the second block), on "
        "which the trunk ends then",
        choices=("last", "conv3_x"),
    )

    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build the network for images that the trunk takes.

        Raises:
            UsageError: neither one nor three channels, or weights that torchvision does not know.
        """
        trunk = TRUNKS[self.trunk](weights=self.weights).build(shape, num_classes)
        assert isinstance(trunk, AdaptedClassifier)
        layers = _layers(trunk.body)
        names = list(layers)
        stages = STAGES[self.trunk]
        (low_end, low_width), (high_end, width) = stages[self.low_stage], stages[self.high_stage]
        first, last = names.index(low_end) + 1, names.index(high_end) + 1
        low, high = (
            nn.Sequential(OrderedDict((name, layers[name]) for name in part))
            for part in (names[:first], names[first:last])
        )
        body: nn.Module
        if self.fuse:
            scale = self.common**-0.5 if self.scale else 1.0
            body = FusedFeatures(low, high, (low_width, width), self.common, scale)
            width = self.common
        else:
            body = nn.Sequential(low, high, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return AdaptedClassifier(body, nn.Linear(width, num_classes), trunk.channels, trunk.margins)


def _layers(body: nn.Module) -> dict[str, nn.Module]:
    """Give the layers of a trunk in the order in which they are applied."""
    if isinstance(body, nn.Sequential):
        # torchvision's DenseNet leaves its last relu to its forward method.
        return {**dict(body[0].named_children()), "relu5": nn.ReLU(inplace=True)}
    return dict(body.named_children())
