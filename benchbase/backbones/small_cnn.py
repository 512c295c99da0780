"""A small convolutional network for images of about 28 to 64 pixels on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchbase.api import Backbone, Classifier, ImageShape

WIDTHS = (16, 32, 64)


class MaxPool2x2(nn.Module):
    """Max-pooling of 2 x 2 places; a last odd line or column is left out."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool (B, C, H, W) to (B, C, H // 2, W // 2)."""
        if not torch.is_inference_mode_enabled():
            return functional.max_pool2d(maps, 2)
        # The same values, bit for bit, at a quarter of the time on a CPU: nobody asks for the
        # places of the maxima, which the operator above also writes down.
        height, width = (size - size % 2 for size in maps.shape[2:])
        lines = torch.maximum(maps[:, :, 0:height:2], maps[:, :, 1:height:2])
        return torch.maximum(lines[..., 0:width:2], lines[..., 1:width:2])


class SmallCNNClassifier(Classifier):
    """Three convolutions with batch norm, relu and pooling, then a linear head."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in WIDTHS:
            # Max-pooling and relu commute exactly (both are monotone), so pooling first gives
            # the same function with a quarter of relu's work.
            layers += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                MaxPool2x2(),
                nn.ReLU(inplace=True),
            ]
            channels = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_classes)

    def features(self, images: Tensor) -> Tensor:
        """Give the mean of the last activation map over its places, width 64."""
        maps: Tensor = self.body(images)
        return maps.mean((2, 3))


@dataclass(frozen=True)
class SmallCNN(Backbone):
    """3 x (conv 3x3, batch norm, relu, pool) with 16, 32 and 64 channels, 24 thousand weights."""

    name: ClassVar[str] = "small_cnn"
    version: ClassVar[str] = "1"

    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build the network for images of at least 8 pixels a side."""
        return SmallCNNClassifier(shape.channels, num_classes)
