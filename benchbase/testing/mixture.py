"""Points of two classes with wrong labels: where weights can tell, and it takes a second."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from benchbase.api import Classifier, Grants, Images, Need, Recipe, Task, Weighter
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.judging.weights import weight_auroc
from benchbase.seeding import seeded, torch_stream
from benchbase.testing.toy import toy_task

WIDTH = 20


class Perceptron(Classifier):
    """20 numbers - 32 - 16 - two classes: too small to learn wrong labels by heart."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()
        )
        self.head = nn.Linear(16, 2)

    def features(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch features"]:
        """Give the second layer's activations."""
        activations: Tensor = self.body(images)
        return activations


@dataclass(frozen=True)
class NoisyMixture:
    """A task, and the truth about it that a weighter does not see."""

    task: Task
    is_right: Bool[Tensor, " rows"]

    def weight_auroc(self, weighter: Weighter) -> float:
        """Train, and tell how well the last weights tell right labels from wrong ones."""
        *_, last = weighter.fit(self.task)
        assert last.weights is not None, "the method reports no weights"
        auroc = weight_auroc(last.weights.numpy(), self.is_right.numpy())
        assert auroc is not None
        return auroc


def noisy_mixture(
    *, seed: int = 0, count: int = 4000, noise: float = 0.3, trusted: int = 200
) -> NoisyMixture:
    """Draw two classes of three Gaussians each in 20 dimensions; flip a share of the labels.

    480 steps of batches of 100, beside as many trusted points. The needs are granted that concern
    clean labels: trusted images, the noise rate, the truth.
    """
    stream = torch_stream(seed, "mixture")
    centres = 0.8 * torch.randn(2, 3, WIDTH, generator=stream)

    def draw(count: int) -> Images:
        labels = torch.arange(count) % 2
        components = torch.randint(3, (count,), generator=stream)
        points = centres[labels, components] + torch.randn(count, WIDTH, generator=stream)
        pixels = (128 + 24 * points).clamp(0, 255).to(torch.uint8).view(count, 1, 4, WIDTH // 4)
        return Images(pixels, labels, torch.arange(count))

    clean, believed = draw(count), draw(trusted)
    is_right = torch.rand(count, generator=stream) >= noise
    wrong = (~is_right).nonzero().squeeze(1)

    def build_model() -> Classifier:
        with seeded(seed, "initialisation"):
            return Perceptron()

    needs = frozenset({Need.TRUSTED, Need.NOISE_RATE, Need.TRUTH})
    task = dataclasses.replace(
        toy_task(num_classes=2, needs=needs, seed=seed),
        train=clean.relabelled(wrong, 1 - clean.labels[wrong]),
        recipe=Recipe(epochs=12, batch_size=100, trusted_batch_size=100),
        build_model=build_model,
        augment=make_augment(Invariances(flips="none"), 0),
        normalise=make_normalise([128 / 255], [33 / 255], torch.device("cpu")),
        grants=Grants(
            trusted=believed, noise_rate=float((~is_right).float().mean()), truth=clean.labels
        ),
    )
    return NoisyMixture(task, is_right)
