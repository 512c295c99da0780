"""Asks a backbone for a network: the one place where it is called, and what it gives is checked."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from benchbase.backbones.contract import Backbone, Classifier, ImageShape
from benchbase.errors import ContractError, blamed_on


def build_network(backbone: Backbone, shape: ImageShape, num_classes: int) -> Classifier:
    """Build a network; the caller has seeded torch.

    Raises:
        PluginError: it fails, or is no classifier.
    """
    with blamed_on("backbone", backbone):
        model: Any = backbone.build(shape, num_classes)
    if not isinstance(model, Classifier) or not isinstance(getattr(model, "head", None), nn.Module):
        raise ContractError(
            f"backbone {backbone.name!r}: build gave {type(model).__name__}, expected a Classifier "
            "with `features(images)` and a module `head`"
        )
    return model


def try_network(backbone: Backbone, model: nn.Module, images: Tensor, num_classes: int) -> Tensor:
    """Pass images through a network of a backbone.

    Raises:
        PluginError: it fails, or does not give one logit a class for each image.
    """
    with blamed_on("backbone", backbone):
        logits: Any = model(images)
    expected = (len(images), num_classes)
    if not isinstance(logits, torch.Tensor) or logits.shape != expected:
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ContractError(
            f"backbone {backbone.name!r}: {tuple(images.shape)} images gave {got}, expected "
            f"logits of shape {expected}"
        )
    return logits
