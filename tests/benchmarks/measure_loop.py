"""Measure ERM through the harness's loop against a bare PyTorch loop; prints JSON."""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Iterator

import torch
from benchbase_baselines import ERM
from torch import nn
from torch.nn import functional as F

from benchbase.api import Classifier, Images, ImageShape, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.kit.loops import supervised
from benchbase.seeding import seeded, torch_stream

SIZE, BATCH, STEPS = 28, 50, 4
"""Steps of an epoch: a pair compares two epochs, what the loop does once an epoch included."""


def build_task(epochs: int) -> Task:
    """Build a task of random grey images, small enough for the overhead to be seen."""
    stream = torch_stream(0, "pixels")
    count = STEPS * BATCH
    pixels = torch.randint(0, 256, (count, 1, SIZE, SIZE), generator=stream, dtype=torch.uint8)
    labels = torch.randint(0, 10, (count,), generator=stream)

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = SmallCNN().build(ImageShape(1, SIZE, SIZE), 10)
        return model.to(memory_format=torch.channels_last)

    return Task(
        train=Images(pixels, labels, torch.arange(count)),
        num_classes=10,
        class_names=tuple("abcdefghij"),
        recipe=Recipe(epochs=epochs, batch_size=BATCH),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=make_augment(Invariances(), 2),
        augment_strongly=make_strong_augment(Invariances()),
        normalise=make_normalise([0.5], [0.29], torch.device("cpu")),
        seed=0,
    )


def bare_loop(task: Task) -> Iterator[nn.Module]:
    """Train as anyone would by hand, with the same gather, augmentation and normalisation."""
    model, recipe = task.build_model(), task.recipe
    images, labels = task.train.pixels, task.train.labels
    optimiser = torch.optim.SGD(
        model.parameters(),
        recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    stream = task.rng("bare loop")
    done, total = 0, recipe.epochs * STEPS
    for _ in range(recipe.epochs):
        model.train()
        for rows in torch.randperm(len(labels), generator=stream).split(BATCH):
            rate = recipe.learning_rate * (1 + math.cos(math.pi * done / total)) / 2
            optimiser.param_groups[0]["lr"] = rate
            batch = task.normalise(task.augment(images[rows], stream))
            optimiser.zero_grad()
            F.cross_entropy(model(batch), labels[rows]).backward()
            optimiser.step()
            done += 1
        yield model


def seconds_of_next(loop: Iterator[object]) -> float:
    """Time one epoch."""
    start = time.perf_counter()
    next(loop)
    return time.perf_counter() - start


def measure(pairs: int) -> dict[str, float]:
    """Give the median ratio of alternated epochs; who goes first alternates too."""
    torch.set_num_threads(1)
    warm_up = 3
    task = build_task(pairs + warm_up)
    bare = bare_loop(task)
    harness = supervised(task, task.build_model(), ERM().prepare(task))
    ratios, plain = [], []
    for number in range(pairs + warm_up):
        if number % 2:
            by_hand, by_loop = seconds_of_next(bare), seconds_of_next(harness)
        else:
            by_loop, by_hand = seconds_of_next(harness), seconds_of_next(bare)
        if number >= warm_up:
            ratios.append(by_loop / by_hand)
            plain.append(by_hand / STEPS)
    return {
        "bare_milliseconds": 1000 * statistics.median(plain),
        "step_ratio": statistics.median(ratios),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
