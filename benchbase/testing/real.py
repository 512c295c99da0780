"""A task of real images, for smoke tests: does a method learn, and what does it cost?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchbase.api import LossWeighter, Need, Step, Task, Weighter
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Recipe, Scenario
from benchbase.data.imbalance import Natural
from benchbase.data.noise import NoNoise
from benchbase.data.nuclei import Nuclei
from benchbase.data.opening import open_scenario
from benchbase.running.given import give, make_task, unpack_labels


@dataclass(frozen=True)
class RealProblem:
    """A task without noise, and the test images of its judge."""

    task: Task
    test_images: Tensor
    """Normalised."""
    test_labels: Tensor

    def balanced_accuracy(self, model: nn.Module) -> float:
        """Give the mean recall of the test images' classes."""
        with torch.no_grad():
            found = model.eval()(self.test_images).argmax(1)
        right = (found == self.test_labels).float()
        recalls = [right[self.test_labels == label].mean() for label in self.test_labels.unique()]
        return float(torch.stack(recalls).mean())


class _Unweighted(LossWeighter):
    name = "unweighted"

    def prepare(self, task: Task) -> Any:
        def ones(step: Step) -> Tensor:
            return torch.ones_like(step.losses)

        return ones


def nuclei_problem(
    folder: Path,
    *,
    needs: frozenset[Need],
    train_size: int = 600,
    epochs: int = 4,
    **scenario: Any,
) -> RealProblem:
    """Open a part of the ``nuclei`` images with right labels and the network ``small_cnn``.

    ``folder`` holds the cache of decoded images, so several problems may share it; ``scenario``
    changes other fields of the condition, such as ``label_budget`` or ``label_fraction``.
    """
    condition = Scenario(train_size=train_size, recipe=Recipe(epochs=epochs), **scenario)
    opened = open_scenario(
        condition,
        seed=0,
        dataset=Nuclei(),
        noise=NoNoise(),
        imbalance=Natural(),
        roots=[],
        cache=folder / "cache",
    )
    gift = give(opened, condition, 0, frozenset(need.value for need in needs))

    def ask(rows: list[int]) -> list[int]:
        labels: list[int] = opened.train_true[rows].tolist()
        return labels

    task = make_task(
        gift.message,
        unpack_labels(gift.packed_labels),
        {role: torch.tensor(opened.maps[role].pixels) for role in gift.message.images},
        backbone=SmallCNN(),
        needs=needs,
        device=torch.device("cpu"),
        ask=ask,
    )
    images = task.normalise(torch.tensor(opened.test.pixels))
    return RealProblem(task, images, torch.tensor(opened.test.labels))


def points_behind_unweighted(weighter: Weighter, folder: Path, **settings: Any) -> float:
    """Train on ``nuclei_problem``; give how far balanced accuracy is below plain cross-entropy's.

    In points, negative where the method is ahead.

    Raises:
        AssertionError: the method is no better than chance, with ten points to spare.
    """
    scores = []
    for method in (weighter, _Unweighted()):
        problem = nuclei_problem(folder, needs=weighter.needs, **settings)
        *_, last = method.fit(problem.task)
        scores.append(problem.balanced_accuracy(last.model))
    chance = 1 / problem.task.num_classes
    assert scores[0] > chance + 0.1, f"balanced accuracy {scores[0]:.2f}, chance is {chance:.2f}"
    return 100 * (scores[1] - scores[0])
