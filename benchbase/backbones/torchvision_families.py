"""torchvision's networks behind one adapter, for images of one or three channels, 28 pixels up."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Backbone, Classifier, ImageShape, option
from benchbase.backbones.loading import load_weights
from benchbase.backbones.weights import DEFAULT, PINNED
from benchbase.errors import DataError, UsageError

RGB = 3


class AdaptedClassifier(Classifier):
    """A torchvision network, split into what comes before its classifier and the classifier."""

    def __init__(self, body: nn.Module, head: nn.Module, channels: int, margins: list[int]) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.channels = channels
        self.margins = margins

    def features(self, images: Tensor) -> Tensor:
        """Give what the network's own classifier reads."""
        if self.channels == 1:
            # A grey image is shown to all three inputs: stock weights stay usable.
            images = images.expand(-1, RGB, -1, -1)
        if any(self.margins):
            # Zero is the mean of normalised images.
            images = F.pad(images, self.margins)
        features: Tensor = self.body(images)
        return features


@dataclass(frozen=True)
class TorchvisionBackbone(Backbone):
    """What the families share: weights to start from, and the split at the classifier."""

    smallest: ClassVar[int] = 1
    """Smaller images get a margin, evenly, up to this side; the stock stem needs it."""
    classifier: ClassVar[str] = "fc"
    """What the network calls its last layers, which are made anew."""
    weights: str = option(
        "",
        "File of weights to start from (a state_dict), or DEFAULT for torchvision's own.",
    )

    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build the network for one or three channels; small images go in as they are.

        Raises:
            UsageError: another number of channels.
            DataError: the weights cannot be had, or do not fit.
        """
        if shape.channels not in {1, RGB}:
            raise UsageError(
                f"{self.name} takes images of 1 or 3 channels, these have {shape.channels}: "
                "choose small_cnn or resnet32"
            )
        body, head = self.split(self._network(), num_classes)
        margins: list[int] = []
        for side in (shape.width, shape.height):
            missing = max(0, self.smallest - side)
            margins += [missing // 2, missing - missing // 2]
        return AdaptedClassifier(body, head, shape.channels, margins)

    @abstractmethod
    def split(self, network: nn.Module, num_classes: int) -> tuple[nn.Module, nn.Module]:
        """Give the network without its classifier, and a fresh classifier."""

    def _network(self) -> nn.Module:
        """Build torchvision's network with the weights to start from."""
        network: nn.Module
        if self.weights == DEFAULT:
            known = torchvision.models.get_model_weights(self.name)[PINNED[self.name][0]]
            try:
                network = torchvision.models.get_model(self.name, weights=known)
            except OSError as error:
                raise DataError(
                    f"{self.name}[weights={DEFAULT}]: {known.url} could not be fetched ({error}): "
                    "fetch it where there is a network, and give weights=FILE"
                ) from error
            return network
        network = torchvision.models.get_model(self.name, weights=None)
        if self.weights:
            load_weights(network, Path(self.weights).expanduser(), self.classifier)
        return network


@dataclass(frozen=True)
class ResNetBackbone(TorchvisionBackbone):
    """The ResNets, with the choice of their first layers."""

    stem: str = option(
        "stock",
        "stock: 7x7 convolution of stride 2 and pooling, as published for 224 pixels; small: "
        "3x3 of stride 1 without pooling, as used for 32 pixels (ten times the work)",
        choices=("stock", "small"),
    )

    def split(self, network: nn.Module, num_classes: int) -> tuple[nn.Module, nn.Module]:
        """Give the network up to its pooled features, and a fresh linear layer."""
        assert isinstance(network, torchvision.models.ResNet)
        if self.stem == "small":
            network.conv1 = nn.Conv2d(RGB, network.conv1.out_channels, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
            network.maxpool = nn.Identity()
        head = nn.Linear(network.fc.in_features, num_classes)
        network.fc = nn.Identity()
        return network, head


@dataclass(frozen=True)
class ResNet18(ResNetBackbone):
    """ResNet-18 of He et al., CVPR 2016, 512 features."""

    name: ClassVar[str] = "resnet18"
    version: ClassVar[str] = "1"


@dataclass(frozen=True)
class ResNet34(ResNetBackbone):
    """ResNet-34 of He et al., CVPR 2016, 512 features."""

    name: ClassVar[str] = "resnet34"
    version: ClassVar[str] = "1"


@dataclass(frozen=True)
class ResNet50(ResNetBackbone):
    """ResNet-50 of He et al., CVPR 2016, 2048 features."""

    name: ClassVar[str] = "resnet50"
    version: ClassVar[str] = "1"


class PooledMaps(nn.Module):
    """DenseNet's last steps, which torchvision keeps in ``forward``: relu and the mean."""

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, width, H, W) to (B, width)."""
        return F.relu(maps).mean((2, 3))


@dataclass(frozen=True)
class DenseNet121(TorchvisionBackbone):
    """DenseNet-121 of Huang et al., CVPR 2017, 1024 features."""

    name: ClassVar[str] = "densenet121"
    version: ClassVar[str] = "1"
    smallest: ClassVar[int] = 32
    classifier: ClassVar[str] = "classifier"

    def split(self, network: nn.Module, num_classes: int) -> tuple[nn.Module, nn.Module]:
        """Give the network up to its pooled features, and a fresh linear layer."""
        assert isinstance(network, torchvision.models.DenseNet)
        head = nn.Linear(network.classifier.in_features, num_classes)
        return nn.Sequential(network.features, PooledMaps()), head


@dataclass(frozen=True)
class EfficientNetB0(TorchvisionBackbone):
    """EfficientNet-B0 of Tan and Le, ICML 2019, 1280 features, of which dropout leaves some."""

    name: ClassVar[str] = "efficientnet_b0"
    version: ClassVar[str] = "1"
    classifier: ClassVar[str] = "classifier"

    def split(self, network: nn.Module, num_classes: int) -> tuple[nn.Module, nn.Module]:
        """Give the network up to its pooled features after dropout, and a fresh linear layer."""
        assert isinstance(network, torchvision.models.EfficientNet)
        dropout, linear = network.classifier
        assert isinstance(linear, nn.Linear)
        head = nn.Linear(linear.in_features, num_classes)
        return nn.Sequential(network.features, network.avgpool, nn.Flatten(), dropout), head


FAMILIES = (ResNet18, ResNet34, ResNet50, DenseNet121, EfficientNetB0)
