"""Measure steps of CC-DSW and DLSA-SW against MW-Net's; prints JSON. Run by test_signals_step.py.

All three have one engine, so that what is measured is what their signals cost.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from benchbase_baselines import MWNet
from benchbase_cc_dsw import CCDSW
from benchbase_dlsa_sw import DLSASW

from benchbase.api import Classifier, ImageShape, LossWeighter, Need, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.kit.loops import forward, load_batch
from benchbase.seeding import seeded
from benchbase.testing.toy import toy_task

SIZE, CLASSES, ROUNDS = 32, 10, 31


def build_task(batch_size: int) -> Task:
    """Build a task of colour images, with a trusted batch as large as the other."""

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = SmallCNN().build(ImageShape(3, SIZE, SIZE), CLASSES)
        return model.to(memory_format=torch.channels_last)

    task = toy_task(
        num_classes=CLASSES,
        size=SIZE,
        per_class=batch_size // CLASSES,
        needs=frozenset({Need.TRUSTED}),
    )
    return dataclasses.replace(
        task,
        recipe=Recipe(batch_size=batch_size, trusted_batch_size=batch_size),
        build_model=build_model,
        grants=dataclasses.replace(task.grants, trusted=task.train),
    )


def make_step(task: Task, weighter: LossWeighter) -> Callable[[], None]:
    """Give one optimiser step of a weighter, always on the same batch."""
    model, recipe = task.build_model(), task.recipe
    optimiser = torch.optim.SGD(
        model.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
    )
    everything = torch.arange(len(task.train))
    batch = load_batch(task, task.train, everything, task.rng("augmentation"))
    weigh = weighter.prepare(task)

    def take_step() -> None:
        optimiser.zero_grad()
        step = forward(task, model, batch, recipe.learning_rate, 0)
        (weigh(step) * step.losses).mean().backward()
        optimiser.step()

    return take_step


def seconds(action: Callable[[], None]) -> float:
    """Time one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(batch_size: int) -> dict[str, float]:
    """Give the median ratio of each method's step to the MW-Net steps before and after it."""
    torch.set_num_threads(1)
    task = build_task(batch_size)
    mwnet, methods = make_step(task, MWNet()), [CCDSW(), DLSASW()]
    steps = {method.name: make_step(task, method) for method in methods}
    for warm_up in [mwnet, *steps.values()] * 3:
        warm_up()
    plain: list[float] = []
    ratios: dict[str, list[float]] = {name: [] for name in steps}
    before = seconds(mwnet)
    for _ in range(ROUNDS):
        for name, take_step in steps.items():
            taken = seconds(take_step)
            after = seconds(mwnet)
            ratios[name].append(2 * taken / (before + after))
            plain.append(after)
            before = after
    return {
        "mwnet_milliseconds": 1000 * statistics.median(plain),
        **{name: statistics.median(values) for name, values in ratios.items()},
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
