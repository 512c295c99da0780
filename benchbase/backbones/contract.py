"""What a backbone owes: networks that the harness can look into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn


class Classifier(nn.Module, ABC):
    """A network as the harness sees it: images -> features -> logits."""

    head: nn.Module
    """The last layer: features (B, width) -> logits (B, classes).

    Linear and nothing else where it can be: dropout before it belongs to ``features``, for some
    methods take an image's gradient for this layer from the two.
    """

    @abstractmethod
    def features(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch features"]:
        """Map normalised images to the features that the head reads."""

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Map normalised images to logits."""
        logits: Tensor = self.head(self.features(images))
        return logits


@dataclass(frozen=True)
class ImageShape:
    """Size of one image."""

    channels: int
    height: int
    width: int


class Backbone(ABC):
    """A family of networks; a frozen dataclass whose fields are its options.

    An option called ``weights`` names a file of weights to start from, or ``DEFAULT``: the harness
    puts the file's hash into a cell's key.
    """

    name: ClassVar[str]
    version: ClassVar[str] = ""
    """What is built; as ``Weighter.version``."""

    @abstractmethod
    def build(self, shape: ImageShape, num_classes: int) -> Classifier:
        """Build a fresh network; torch's global generator is seeded by the caller."""
