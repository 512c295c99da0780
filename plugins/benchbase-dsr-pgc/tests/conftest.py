"""Tasks with hidden labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
import torch
from benchbase_dsr_pgc.training import HiddenImages, JointStep, Training
from torch import Tensor, nn

from benchbase.api import Classifier, Need, Task
from benchbase.kit.loops import endless_batches
from benchbase.testing.toy import toy_problem


class Plain(Classifier):
    """No batch norm: what an image gives does not depend on its company."""

    def __init__(self, pixels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, 8), nn.Tanh(), nn.Dropout(dropout)
        )
        self.head = nn.Linear(8, classes)

    def features(self, images: Tensor) -> Tensor:
        return self.body(images)


def build(
    *,
    plain: bool = False,
    dropout: float = 0.0,
    needs: frozenset[Need] = frozenset(Need),
    **settings,
) -> Task:
    task = toy_problem(needs=needs, **settings).task
    if not plain:
        return task
    pixels = task.train.pixels[0].numel()

    def build_model() -> Classifier:
        with task.seeded("plain"):
            return Plain(pixels, task.num_classes, dropout)

    return dataclasses.replace(task, build_model=build_model)


@dataclasses.dataclass(frozen=True)
class Ready:
    """A run before its first joint step."""

    training: Training
    step: JointStep


def make_ready(task: Task) -> Ready:
    training = Training(task, HiddenImages(task.train.pixels, task.train.rows))
    labelled = endless_batches(task, task.train, "labelled", training.labelled_size)
    return Ready(training, training.look(next(labelled), next(training.views())))


@pytest.fixture
def make_task() -> Callable[..., Task]:
    """Build a toy task that grants everything; ``plain`` gives it a network without batch norm."""
    return build


@pytest.fixture
def ready() -> Callable[[Task], Ready]:
    """Start a run on a task in which every training image is an unlabelled one as well."""
    return make_ready


@pytest.fixture
def double() -> Iterator[Callable[..., Task]]:
    """Compute in float64; gives ``make_task`` for it, with strong views that are mirrored."""
    torch.set_default_dtype(torch.float64)
    yield lambda **settings: dataclasses.replace(
        build(**settings),
        normalise=lambda pixels: pixels.double() / 64 - 2,
        augment_strongly=lambda pixels, stream: pixels.flip(3),
    )
    torch.set_default_dtype(torch.float32)
