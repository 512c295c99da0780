"""A task that trains in a blink: small synthetic images, on the CPU, without any file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import (
    Batch,
    Classifier,
    Grants,
    Images,
    Meter,
    Need,
    Oracle,
    Recipe,
    Step,
    Task,
)
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import numpy_stream, seeded

TRUSTED_PER_CLASS = 4
UNLABELLED_PER_CLASS = 6
TEST_PER_CLASS = 20
LABEL_BUDGET = 10


class ToyClassifier(Classifier):
    """Two convolutions with batch norm, then a linear head: about a thousand weights."""

    def __init__(self, channels: int, size: int, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 8, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(8 * math.ceil(size / 4) ** 2, num_classes)

    def features(self, images: Tensor) -> Tensor:
        """Give the last activations, flattened: where something is tells the classes apart."""
        activations: Tensor = self.body(images)
        return activations


@dataclass(frozen=True)
class ToyProblem:
    """A task, and what only its judge would know."""

    task: Task
    truth: Int[Tensor, " rows"]
    """True labels of ``task.train``."""
    test_images: Float[Tensor, "count channels height width"]
    """Normalised, of all classes alike."""
    test_labels: Int[Tensor, " count"]


def toy_task(**settings: Any) -> Task:
    """Build a small task; takes the settings of ``toy_problem``."""
    return toy_problem(**settings).task


def toy_problem(
    *,
    num_classes: int = 3,
    channels: int = 3,
    size: int = 12,
    per_class: int = 24,
    imbalance: float = 1.0,
    absent: int | None = None,
    noise: float = 0.25,
    needs: frozenset[Need] = frozenset(),
    unlabelled: bool = True,
    label_budget: int = LABEL_BUDGET,
    noise_rate_known: bool = True,
    epochs: int = 2,
    batch_size: int = 16,
    seed: int = 0,
) -> ToyProblem:
    """Build a small task with its truth; the same arguments give the same one.

    The largest class has ``per_class`` training images and the smallest ``imbalance`` times fewer
    (exponential long tail, at least one); ``absent`` names a class without any. A share
    ``noise`` of the labels is moved to another class. The task answers to ``needs`` and to
    nothing else; without ``unlabelled`` it grants none of these, as most scenarios do.
    Without ``noise_rate_known`` nobody knows that share, as with labels as given.
    ``seed`` is the method's: images and labels do not depend on it.
    """
    rng = numpy_stream("toy")
    # Patterns of 4 x 4 blocks, magnified: smooth enough for a small network to learn at once.
    blocks = rng.choice([-1.0, 1.0], size=(num_classes, channels, 4, 4))
    patterns = np.kron(blocks, np.ones((1, 1, math.ceil(size / 4), math.ceil(size / 4))))[
        ..., :size, :size
    ]

    def draw(labels: Int[np.ndarray, " count"]) -> UInt8[Tensor, "count channels height width"]:
        images = 128 + 40 * patterns[labels] + 40 * rng.standard_normal((len(labels), 1, 1, 1))
        images = images + 25 * rng.standard_normal((len(labels), channels, size, size))
        return torch.from_numpy(images.clip(0, 255).astype(np.uint8))

    def part(per_class: int) -> Images:
        labels = np.repeat(np.arange(num_classes), per_class)
        return _images(draw(labels), labels)

    counts = [
        max(1, round(per_class * imbalance ** (-label / max(1, num_classes - 1))))
        * (label != absent)
        for label in range(num_classes)
    ]
    truth = rng.permutation(np.repeat(np.arange(num_classes), counts))
    wrong = rng.permutation(len(truth))[: round(noise * len(truth))]
    observed = truth.copy()
    observed[wrong] = (truth[wrong] + rng.integers(1, num_classes, len(wrong))) % num_classes
    train = _images(draw(truth), observed)
    trusted, test = part(TRUSTED_PER_CLASS), part(TEST_PER_CLASS)
    hidden = part(UNLABELLED_PER_CLASS if unlabelled else 0)
    if Need.TRUTH not in needs:
        hidden = hidden.relabelled(torch.arange(len(hidden)), torch.full((len(hidden),), -1))
    recipe = Recipe(epochs=epochs, batch_size=batch_size, trusted_batch_size=batch_size, shift=1)
    device = torch.device("cpu")
    normalise = make_normalise([0.5] * channels, [0.25] * channels, device)
    built = 0

    def build_model() -> Classifier:
        nonlocal built
        with seeded(seed, "initialisation", str(built)):
            model = ToyClassifier(channels, size, num_classes)
        built += 1
        return model

    task = Task(
        train=train,
        num_classes=num_classes,
        class_names=tuple(f"class {label}" for label in range(num_classes)),
        recipe=recipe,
        device=device,
        build_model=build_model,
        augment=make_augment(Invariances(flips="none"), recipe.shift),
        augment_strongly=make_strong_augment(Invariances(flips="none")),
        normalise=normalise,
        seed=seed,
        needs=needs,
        grants=Grants(
            trusted=trusted,
            unlabelled=hidden,
            oracle=Oracle(lambda rows: truth[rows].tolist(), label_budget, len(truth)),
            noise_rate=float((observed != truth).mean()) if noise_rate_known else None,
            truth=torch.from_numpy(truth),
        ),
    )
    return ToyProblem(task, torch.from_numpy(truth), normalise(test.pixels), test.labels)


def toy_step(features: Tensor, logits: Tensor, labels: Tensor, epoch: int = 0) -> Step:
    """Build a step by hand, for a method that looks at nothing but these.

    Rows count from zero; other forward passes raise.
    """
    count = len(labels)

    def never(*_: object) -> Tensor:
        raise AssertionError("a step made by hand has no other forward pass")

    return Step(
        model=toy_task().build_model(),
        batch=Batch(torch.zeros(count, 3, 12, 12), labels, torch.arange(count)),
        logits=logits,
        features=features,
        losses=F.cross_entropy(logits, labels, reduction="none"),
        lr=0.05,
        epoch=epoch,
        losses_at=never,
        trusted_loss_at=never,
        meter=Meter(),
    )


def _images(pixels: Tensor, labels: Int[np.ndarray, " count"]) -> Images:
    return Images(pixels, torch.from_numpy(labels), torch.arange(len(labels)))
