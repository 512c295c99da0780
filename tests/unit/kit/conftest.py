"""A task small enough to check by hand or in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from benchbase.api import Batch, Classifier, Images, Recipe, Step, Task
from benchbase.kit.loops import forward, load_batch

MakeStep = Callable[..., tuple[Step, Batch]]


class ToyClassifier(Classifier):
    """One convolution, whatever the test is about, and a linear head."""

    def __init__(self, channels: int, classes: int, batch_norm: bool, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 4, 3, padding=1),
            nn.BatchNorm2d(4) if batch_norm else nn.Identity(),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Flatten(),
        )
        self.head = nn.Linear(4 * 3 * 3, classes)

    def features(self, images: Tensor) -> Tensor:
        return self.body(images)


def build_task(
    *,
    count: int = 12,
    classes: int = 3,
    channels: int = 2,
    batch_norm: bool = True,
    dropout: float = 0.0,
    dtype: torch.dtype = torch.float32,
    **recipe,
) -> Task:
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (count, channels, 6, 6), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, classes, (count,), generator=generator)

    def build_model() -> Classifier:
        with torch.random.fork_rng():
            torch.manual_seed(7)
            model = ToyClassifier(channels, classes, batch_norm, dropout)
        return model.to(dtype=dtype)

    return Task(
        train=Images(pixels, labels, torch.arange(count)),
        num_classes=classes,
        class_names=tuple("abcdefghij"[:classes]),
        recipe=Recipe(**{"epochs": 2, "batch_size": 4, **recipe}),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=lambda pixels, generator: pixels,
        augment_strongly=lambda pixels, generator: pixels,
        normalise=lambda pixels: pixels.to(dtype) / 128 - 1,
        seed=3,
    )


@pytest.fixture
def make_task() -> Callable[..., Task]:
    """Build a toy task; keywords choose the network, the data and the recipe."""
    return build_task


@pytest.fixture
def make_step() -> MakeStep:
    """Build a float64 step on six images, and a batch of four others; keywords as above."""

    def build(*, size: int = 6, lr: float = 0.3, **keywords) -> tuple[Step, Batch]:
        task = build_task(dtype=torch.float64, **keywords)
        stream = task.rng("augmentation")
        batch, trusted = (
            load_batch(task, task.train, positions, stream)
            for positions in (torch.arange(size), torch.arange(8, 12))
        )
        return forward(task, task.build_model(), batch, lr, 0), trusted

    return build
