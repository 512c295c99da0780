"""Measure exact MW-Net steps against ERM steps; prints JSON. Run by test_meta_step.py."""

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

from benchbase.api import Batch, Classifier, Grants, Images, ImageShape, Need, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.kit.loops import forward, load_batch
from benchbase.seeding import seeded, torch_stream

SIZE, BATCH = 32, 100
ROUNDS = {"small_cnn": 31, "resnet18": 9}


def build_task(backbone: str) -> Task:
    """Build a task of random 32-pixel colour images, which cost what any others do."""
    stream = torch_stream(0, "pixels")
    family = {"small_cnn": SmallCNN, "resnet18": ResNet18}[backbone]()
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


def make_steps(task: Task) -> tuple[Callable[[], None], Callable[[], None]]:
    """Give one optimiser step of ERM and one of MW-Net, both on the same network and batch."""
    model = task.build_model()
    recipe = task.recipe
    optimiser = torch.optim.SGD(
        model.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
    )
    batch: Batch = load_batch(task, task.train, torch.arange(BATCH), task.rng("augmentation"))

    def stepping(weigh) -> Callable[[], None]:
        def take_step() -> None:
            optimiser.zero_grad()
            step = forward(task, model, batch, recipe.learning_rate, 0)
            (weigh(step) * step.losses).mean().backward()
            optimiser.step()

        return take_step

    return stepping(ERM().prepare(task)), stepping(MWNet().prepare(task))


def seconds(action: Callable[[], None]) -> float:
    """Time one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


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
    """Give the median ratio of alternated steps, and the ratio of the peaks of memory."""
    torch.set_num_threads(1)
    task = build_task(backbone)
    erm, mwnet = make_steps(task)
    for warm_up in (erm, mwnet, erm, mwnet):
        warm_up()
    plain, ratios = [], []
    before = seconds(erm)
    for _ in range(ROUNDS[backbone]):
        exact = seconds(mwnet)
        after = seconds(erm)
        ratios.append(2 * exact / (before + after))
        plain.append(after)
        before = after
    # Parameters and momentum are there in both; gradients are part of the step.
    always = 2 * sum(value.numel() for value in task.build_model().parameters()) * 4
    return {
        "erm_milliseconds": 1000 * statistics.median(plain),
        "step_ratio": statistics.median(ratios),
        "memory_ratio": (peak_bytes(mwnet) + always) / (peak_bytes(erm) + always),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
