"""Weights as somebody saved them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network of 1,000 classes, as somebody trained it."""
    path = tmp_path_factory.mktemp("weights") / "mine.pt"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    return path
