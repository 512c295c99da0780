"""The ResNet-32 for small images that the MW-Net family of papers trains on CIFAR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Backbone, Classifier, ImageShape

STAGES = (16, 32, 64)
BLOCKS_PER_STAGE = 5


def _convolution(channels: int, width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)


class Block(nn.Module):
    """Two convolutions around a shortcut without weights (He et al., CVPR 2016, option A)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(channels, width, stride)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = _convolution(width, width)
        self.second_norm = nn.BatchNorm2d(width)
        self.stride = stride
        self.padding = (width - channels) // 2

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, channels, H, W) to (B, width, H / stride, W / stride)."""
        shortcut = maps
        if self.stride > 1:
            # Every second place, and zeros for the channels that are new.
            sides = (0, 0, 0, 0, self.padding, self.padding)
            shortcut = F.pad(maps[:, :, :: self.stride, :: self.stride], sides)
        maps = torch.relu(self.first_norm(self.first(maps)))
        return torch.relu(self.second_norm(self.second(maps)) + shortcut)


class ResNet32Classifier(Classifier):
    """Three stages of five blocks, global average pooling, 64 features."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        width = STAGES[0]
        layers: list[nn.Module] = [
            _convolution(channels, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        for stage, stage_width in enumerate(STAGES):
            for block in range(BLOCKS_PER_STAGE):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(Block(width, stage_width, stride))
                width = stage_width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def features(self, images: Tensor) -> Tensor:
        """Give the mean of the last activation map over its places, width 64."""
        maps: Tensor = self.body(images)
        return maps.mean((2, 3))


@dataclass(frozen=True)
class ResNet32(Backbone):
    """The 64-feature CIFAR ResNet-32 with 0.46 million weights, for images of 28 to 64 pixels."""

    name: ClassVar[str] = "resnet32"
    version: ClassVar[str] = "1"

    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build the network; odd sizes work too."""
        return ResNet32Classifier(shape.channels, num_classes)
