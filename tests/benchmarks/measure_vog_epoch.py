"""Measure epochs of VoG against epochs of co-teaching; prints JSON. Run by test_vog_epoch.py."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator

import torch
from benchbase_vog_active import CoTeaching, VoG

from benchbase.api import Checkpoint, Classifier, Grants, Images, ImageShape, Need, Recipe, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import seeded, torch_stream

SIZE, BATCH = 32, 100
UNTIMED, TIMED = 6, 5


def build_task(count: int) -> Task:
    """Build a task of random 32-pixel colour images, which cost what any others do."""
    stream = torch_stream(0, "pixels")
    pixels = torch.randint(0, 256, (count, 3, SIZE, SIZE), generator=stream, dtype=torch.uint8)
    labels = torch.randint(0, 10, (count,), generator=stream)
    built = 0

    def build_model() -> Classifier:
        nonlocal built
        built += 1
        with seeded(0, "initialisation", str(built)):
            model = SmallCNN().build(ImageShape(3, SIZE, SIZE), 10)
        return model.to(memory_format=torch.channels_last)

    return Task(
        train=Images(pixels, labels, torch.arange(count)),
        num_classes=10,
        class_names=tuple("abcdefghij"),
        recipe=Recipe(epochs=UNTIMED + TIMED + 1, batch_size=BATCH),
        device=torch.device("cpu"),
        build_model=build_model,
        augment=make_augment(Invariances(), 2),
        augment_strongly=make_strong_augment(Invariances()),
        normalise=make_normalise([0.5] * 3, [0.29] * 3, torch.device("cpu")),
        seed=0,
        needs=frozenset({Need.NOISE_RATE, Need.OWN_NETWORK}),
        grants=Grants(noise_rate=0.4),
    )


def seconds(epochs: Iterator[Checkpoint]) -> float:
    """Time one epoch."""
    start = time.perf_counter()
    next(epochs)
    return time.perf_counter() - start


def measure(count: int) -> dict[str, float]:
    """Give the median ratio of alternated epochs in which VoG is both collected and used."""
    torch.set_num_threads(1)
    # The ramp is over after an epoch, so that VoG acts, over all its window, where time is taken.
    plain = CoTeaching(gradual=0.0).fit(build_task(count))
    vog = VoG(gradual=0.0).fit(build_task(count))
    for _ in range(UNTIMED):
        next(plain)
        next(vog)
    times, ratios = [], []
    before = seconds(plain)
    for _ in range(TIMED):
        mixed = seconds(vog)
        after = seconds(plain)
        ratios.append(2 * mixed / (before + after))
        times.append(after)
        before = after
    return {
        "co_teaching_seconds": statistics.median(times),
        "epoch_ratio": statistics.median(ratios),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
