"""Measure steps of dsr-pgc and dsr-pgc-e against ERM at the start; run by test_dsr_step.py.

A step is everything that a run repeats: drawing, augmentation (two views of the unlabelled
images), teacher, losses, update. Both back-propagate 100 images.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from benchbase_dsr_pgc import DSRPGC, DSRPGCE
from benchbase_dsr_pgc.training import HiddenImages, Training

from benchbase.api import Classifier, Grants, Images, ImageShape, Need, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.kit.loops import endless_batches
from benchbase.seeding import seeded, torch_stream
from tests.benchmarks.erm_at_start import erm_at_start

SIZE, BATCH, COUNT = 32, 100, 1000
ROUNDS = {"small_cnn": 31, "resnet18": 9}
WARM_UP = 15
"""Joint steps before the clock runs: the queue fills up and the corrections begin."""


def build_task(backbone: str) -> Task:
    """Build a task of random 32-pixel colour images, which cost what any others do."""
    stream = torch_stream(0, "pixels")
    family = {"small_cnn": SmallCNN, "resnet18": ResNet18}[backbone]()
    pixels = torch.randint(0, 256, (COUNT, 3, SIZE, SIZE), generator=stream, dtype=torch.uint8)
    labels = torch.randint(0, 10, (COUNT,), generator=stream)
    everything = Images(pixels, labels, torch.arange(COUNT))

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = family.build(ImageShape(3, SIZE, SIZE), 10)
        return model.to(memory_format=torch.channels_last)

    return Task(
        train=everything,
        num_classes=10,
        class_names=tuple("abcdefghij"),
        recipe=Recipe(epochs=1, batch_size=BATCH, learning_rate=0.01, schedule="constant"),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=make_augment(Invariances(), 2),
        augment_strongly=make_strong_augment(Invariances()),
        normalise=make_normalise([0.5] * 3, [0.29] * 3, torch.device("cpu")),
        seed=0,
        needs=frozenset({Need.TRUSTED}),
        grants=Grants(trusted=everything.subset(torch.arange(100))),
    )


def joint_step(task: Task, weighter: DSRPGCE) -> Callable[[], None]:
    """Give what a semi-supervised method repeats."""
    training = Training(task, HiddenImages(task.train.pixels, task.train.rows))
    objective, views = weighter.objective(task, training), training.views()
    labelled = endless_batches(task, task.train, "labelled", training.labelled_size)

    def take_step() -> None:
        training.joint_step(next(labelled), next(views), objective)

    for _ in range(WARM_UP):
        take_step()
    return take_step


def seconds(action: Callable[[], None]) -> float:
    """Give the CPU time of one call, which other processes disturb less than its duration."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(backbone: str) -> dict[str, float]:
    """Give the median ratios of alternated steps."""
    torch.set_num_threads(1)
    task = build_task(backbone)
    erm, entropy, corrected = (
        erm_at_start(task),
        joint_step(task, DSRPGCE()),
        joint_step(task, DSRPGC()),
    )
    for _ in range(3):
        erm()
    rounds = [
        [seconds(step) for step in (erm, entropy, corrected)] for _ in range(ROUNDS[backbone])
    ]
    return {
        "erm_milliseconds": 1000 * statistics.median(plain for plain, _, _ in rounds),
        "dsr_pgc_e_ratio": statistics.median(one / plain for plain, one, _ in rounds),
        "dsr_pgc_ratio": statistics.median(two / plain for plain, _, two in rounds),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
