"""Measure ERM's and exact MW-Net's steps against ERM at the start; run by test_meta_step.py."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from benchbase_baselines import ERM, MWNet
from torch.profiler import ProfilerActivity, profile

from benchbase.api import (
    Classifier,
    Grants,
    Images,
    ImageShape,
    LossWeighter,
    Need,
    Recipe,
    Task,
)
from benchbase.backbones.resnet32 import ResNet32
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.kit.descent import Descent
from benchbase.kit.loops import endless_batches, forward
from benchbase.seeding import seeded, torch_stream
from tests.benchmarks.erm_at_start import erm_at_start

SIZE, BATCH = 32, 100
ROUNDS = {"small_cnn": 31, "resnet32": 10, "resnet18": 10}


def build_task(backbone: str) -> Task:
    """Build a task of random 32-pixel colour images, which cost what any others do."""
    stream = torch_stream(0, "pixels")
    family = {"small_cnn": SmallCNN, "resnet32": ResNet32, "resnet18": ResNet18}[backbone]()
    pixels = torch.randint(0, 256, (2 * BATCH, 3, SIZE, SIZE), generator=stream, dtype=torch.uint8)
    labels = torch.randint(0, 10, (2 * BATCH,), generator=stream)
    everything = Images(pixels, labels, torch.arange(2 * BATCH))

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = family.build(ImageShape(3, SIZE, SIZE), 10)
        return model.to(memory_format=torch.channels_last)

    return Task(
        train=everything.subset(torch.arange(BATCH)),
        num_classes=10,
        class_names=tuple("abcdefghij"),
        recipe=Recipe(batch_size=BATCH, trusted_batch_size=BATCH, learning_rate=0.01),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=make_augment(Invariances(), 2),
        augment_strongly=make_strong_augment(Invariances()),
        normalise=make_normalise([0.5] * 3, [0.29] * 3, torch.device("cpu")),
        seed=0,
        needs=frozenset({Need.TRUSTED}),
        grants=Grants(trusted=everything.subset(torch.arange(BATCH, 2 * BATCH))),
    )


def kit_step(task: Task, weighter: LossWeighter) -> Callable[[], None]:
    """Give what the kit's loop repeats, batches included."""
    model, weigh = task.build_model(), weighter.prepare(task)
    descent = Descent(task, model, task.steps_per_epoch)
    batches = endless_batches(task, task.train, "training", task.recipe.batch_size)

    def take_step() -> None:
        descent.forget_gradients()
        step = forward(task, model, next(batches), task.recipe.learning_rate, 0)
        descent.step((weigh(step) * step.losses).mean(), backpropagated=BATCH)

    return take_step


def seconds(action: Callable[[], None]) -> float:
    """Give the CPU time of one call, which other processes disturb less than its duration."""
    start = time.process_time()
    action()
    return time.process_time() - start


def peak_bytes(action: Callable[[], None]) -> int:
    """Give the most bytes of tensors that one call holds beyond those before it."""
    action()
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recording:
        action()
    events = recording.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    held = peak = 0
    for _, change in changes:
        held += change
        peak = max(peak, held)
    return peak


def measure(backbone: str) -> dict[str, float]:
    """Give the median ratios of alternated steps, and the ratio of memory."""
    torch.set_num_threads(1)
    task = build_task(backbone)
    start, erm, mwnet = erm_at_start(task), kit_step(task, ERM()), kit_step(task, MWNet())
    for warm_up in (start, erm, mwnet) * 2:
        warm_up()
    rounds = [[seconds(step) for step in (start, erm, mwnet)] for _ in range(ROUNDS[backbone])]
    # Parameters and momentum are there in both; gradients are part of the step.
    always = 2 * sum(value.numel() for value in task.build_model().parameters()) * 4
    return {
        "erm_milliseconds": 1000 * statistics.median(plain for plain, _, _ in rounds),
        "erm_ratio": statistics.median(now / plain for plain, now, _ in rounds),
        "step_ratio": statistics.median(exact / plain for plain, _, exact in rounds),
        "memory_ratio": (peak_bytes(mwnet) + always) / (peak_bytes(erm) + always),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
