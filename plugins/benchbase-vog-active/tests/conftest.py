"""Points of Gaussian classes as tiny images with wrong labels, and patches of real images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from benchbase.api import Classifier, Grants, Images, Need, Oracle, Recipe, Task
from benchbase.data.augment import make_normalise
from benchbase.seeding import seeded, torch_stream

WIDTH = 32
TEST_PER_CLASS = 100
NEEDS = frozenset({Need.NOISE_RATE, Need.ORACLE, Need.OWN_NETWORK, Need.TRUTH})


class Perceptron(Classifier):
    """One hidden layer with batch norm."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(WIDTH, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32)
        )
        self.head = nn.Linear(32, num_classes)

    def features(self, images: Tensor) -> Tensor:
        return torch.relu(self.body(images))


@dataclass(frozen=True)
class Points:
    """A task, and what only its judge would know."""

    task: Task
    truth: Tensor
    test: Images

    @property
    def is_right(self) -> Tensor:
        return self.task.train.labels == self.truth

    def recalls(self, model: nn.Module) -> Tensor:
        """Give the test recall of each class."""
        model.eval()
        with torch.no_grad():
            found = model(self.task.normalise(self.test.pixels)).argmax(1)
        return (found == self.test.labels).view(-1, TEST_PER_CLASS).float().mean(1)


def build(
    *,
    num_classes: int = 9,
    largest: int = 100,
    imbalance: float = 1.0,
    noise_rate: float = 0.5,
    budget: int = 0,
    distance: float = 0.7,
    jitter: float = 5.0,
    seed: int = 0,
    **recipe,
) -> Points:
    stream = torch_stream(seed, "points")
    centres = distance * torch.randn(num_classes, WIDTH, generator=stream)
    counts = [
        max(1, round(largest * imbalance ** (-label / (num_classes - 1))))
        for label in range(num_classes)
    ]

    def draw(labels: Tensor) -> Tensor:
        points = centres[labels] + torch.randn(len(labels), WIDTH, generator=stream)
        return (128 + 20 * points).clamp(0, 255).to(torch.uint8).view(-1, 1, 4, 8)

    def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
        moved = pixels + jitter * torch.randn(pixels.shape, generator=generator)
        return moved.clamp(0, 255).to(torch.uint8)

    truth = torch.arange(num_classes).repeat_interleave(torch.tensor(counts))
    truth = truth[torch.randperm(len(truth), generator=stream)]
    wrong = torch.rand(len(truth), generator=stream) < noise_rate
    moves = torch.randint(1, num_classes, truth.shape, generator=stream)
    observed = torch.where(wrong, (truth + moves) % num_classes, truth)
    every = torch.arange(len(truth))
    test_labels = torch.arange(num_classes).repeat_interleave(TEST_PER_CLASS)
    built = 0

    def build_model() -> Classifier:
        nonlocal built
        built += 1
        with seeded(seed, "initialisation", str(built)):
            return Perceptron(num_classes)

    task = Task(
        train=Images(draw(truth), observed, every),
        num_classes=num_classes,
        class_names=tuple(f"class {label}" for label in range(num_classes)),
        recipe=Recipe(**recipe),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=augment,
        augment_strongly=augment,
        normalise=make_normalise([0.5], [20 / 255], torch.device("cpu")),
        seed=seed,
        needs=NEEDS,
        grants=Grants(
            oracle=Oracle(lambda rows: truth[rows].tolist(), budget, len(truth)),
            noise_rate=float((observed != truth).float().mean()),
            truth=truth,
        ),
    )
    test = Images(draw(test_labels), test_labels, torch.arange(len(test_labels)))
    return Points(task, truth, test)


@pytest.fixture
def make_points() -> Callable[..., Points]:
    """Build Gaussian classes in 32 dimensions; keywords are the data's and the recipe's."""
    return build
