"""Batches made by hand, a mixture of Gaussians with wrong labels, and a part of ``nuclei``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchbase.api import Batch, Classifier, Grants, Images, Meter, Need, Recipe, Step, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Scenario
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.imbalance import Natural
from benchbase.data.noise import NoNoise
from benchbase.data.nuclei import Nuclei
from benchbase.data.opening import Opened, open_scenario
from benchbase.seeding import seeded, torch_stream
from benchbase.task_files import load_task, write_task
from benchbase.testing.toy import toy_task as build_toy_task

CPU = torch.device("cpu")
TRUSTED = frozenset({Need.TRUSTED})


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def step_of(features: Tensor, logits: Tensor, labels: Tensor, epoch: int = 0) -> Step:
    count = len(labels)

    def never(*_: object) -> Tensor:
        raise AssertionError("signals need no other pass")

    return Step(
        model=build_toy_task().build_model(),
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


@pytest.fixture
def make_step() -> Callable[..., Step]:
    """Build a step from its features, logits, labels and epoch."""
    return step_of


class Perceptron(Classifier):
    """20 numbers - 32 - 16 - two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()
        )
        self.head = nn.Linear(16, 2)

    def features(self, images: Tensor) -> Tensor:
        activations: Tensor = self.body(images)
        return activations


@dataclass(frozen=True)
class NoisyMixture:
    """A task, and the truth about it that a weighter does not see."""

    task: Task
    is_right: Tensor


def mixture(*, seed: int, count: int = 4000, noise: float = 0.3) -> NoisyMixture:
    stream = torch_stream(seed, "mixture")
    centres = 0.8 * torch.randn(2, 3, 20, generator=stream)

    def draw(count: int) -> Images:
        labels = torch.arange(count) % 2
        components = torch.randint(3, (count,), generator=stream)
        points = centres[labels, components] + torch.randn(count, 20, generator=stream)
        pixels = (128 + 24 * points).clamp(0, 255).to(torch.uint8).view(count, 1, 4, 5)
        return Images(pixels, labels, torch.arange(count))

    clean, trusted = draw(count), draw(200)
    is_right = torch.rand(count, generator=stream) >= noise
    wrong = (~is_right).nonzero().squeeze(1)

    def build_model() -> Classifier:
        with seeded(seed, "initialisation"):
            return Perceptron()

    task = dataclasses.replace(
        build_toy_task(num_classes=2, needs=TRUSTED, seed=seed),
        train=clean.relabelled(wrong, 1 - clean.labels[wrong]),
        recipe=Recipe(epochs=12, batch_size=100, trusted_batch_size=100),
        build_model=build_model,
        augment=make_augment("none", 0),
        normalise=make_normalise([128 / 255], [33 / 255], CPU),
        grants=Grants(trusted=trusted),
    )
    return NoisyMixture(task, is_right)


@pytest.fixture
def make_mixture() -> Callable[..., NoisyMixture]:
    """Build two classes of 20-dimensional points, some with wrong labels; keyword: the seed."""
    return mixture


@dataclass(frozen=True)
class RealTask:
    """The part of ``nuclei`` that a test trains on, and its judge's part."""

    folder: Path
    opened: Opened

    def open(self) -> Task:
        return load_task(self.folder, SmallCNN(), TRUSTED, CPU, lambda rows: [])


@pytest.fixture(scope="module")
def nuclei(tmp_path_factory) -> RealTask:
    """Open 900 training images without noise, for three epochs."""
    folder = tmp_path_factory.mktemp("nuclei")
    scenario = Scenario(train_size=900, recipe=Recipe(epochs=3))
    opened = open_scenario(
        scenario,
        seed=0,
        dataset=Nuclei(),
        noise=NoNoise(),
        imbalance=Natural(),
        roots=[],
        cache=folder / "cache",
    )
    write_task(folder / "task", opened, scenario, 0, frozenset({"trusted"}))
    return RealTask(folder / "task", opened)
