"""Handwritten digits of 8 x 8 pixels with wrong labels: a task that takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from benchbase.api import Classifier, Grants, Images, ImageShape, Need, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import seeded, torch_stream


@dataclass(frozen=True)
class NoisyDigits:
    """A task, and the truth about it that a weighter does not see."""

    task: Task
    is_right: Tensor


def build(*, count: int = 1000, noise_rate: float = 0.4, **recipe) -> NoisyDigits:
    digits = load_digits()
    pixels = torch.tensor(digits.images * 15).to(torch.uint8).unsqueeze(1)
    labels = torch.tensor(digits.target)
    stream = torch_stream(0, "digits")
    order = torch.randperm(len(labels), generator=stream)
    rows, trusted = order[:count], order[-100:]
    is_right = torch.rand(count, generator=stream) >= noise_rate
    moves = torch.randint(1, 10, (count,), generator=stream)
    observed = torch.where(is_right, labels[rows], (labels[rows] + moves) % 10)
    device = torch.device("cpu")

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = SmallCNN().build(ImageShape(1, 8, 8), 10)
        return model.to(memory_format=torch.channels_last)

    task = Task(
        train=Images(pixels[rows], observed, torch.arange(count)),
        num_classes=10,
        class_names=tuple("0123456789"),
        recipe=Recipe(**recipe),
        device=device,
        build_model=build_model,
        augment=make_augment(Invariances(flips="none"), 1),
        augment_strongly=make_strong_augment(Invariances(flips="none")),
        normalise=make_normalise([0.3], [0.35], device),
        seed=0,
        needs=frozenset({Need.TRUSTED, Need.UNLABELLED, Need.TRUTH}),
        grants=Grants(
            trusted=Images(pixels[trusted], labels[trusted], torch.arange(100)),
            unlabelled=Images(pixels[:0], labels[:0], torch.arange(0)),
            truth=labels[rows],
        ),
    )
    return NoisyDigits(task, is_right)


@pytest.fixture
def make_digits() -> Callable[..., NoisyDigits]:
    """Build the digits with wrong labels; keywords are the count, the rate and the recipe."""
    return build
