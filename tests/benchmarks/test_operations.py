"""What a step asks of a device, in operations that compute: a stand-in for kernel launches.

Counted on a pretend accelerator, against ERM before the kit was made faster.
"""

from __future__ import annotations

import dataclasses
import functools

import pytest
import torch

from benchbase.api import Backbone, Classifier, ImageShape, Need, Task
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.seeding import seeded
from benchbase.testing.accelerator import forked, moved, why_no_pretend
from benchbase.testing.toy import toy_problem
from tests.benchmarks.erm_at_start import erm_at_start
from tests.needs import need
from tests.running import installed

SIZE = 16
LIMITS = [
    ("erm", SmallCNN, 0.8),
    ("mwnet", SmallCNN, 3.2),
    ("cc-dsw", SmallCNN, 3.6),
    ("dlsa-sw", SmallCNN, 3.6),
    ("co-teaching", SmallCNN, 2.1),
    # Views, losses and queue are some 300 operations whatever the network.
    ("dsr-pgc", SmallCNN, 4.8),
    pytest.param("dsr-pgc", ResNet18, 4.0, marks=pytest.mark.slow),
]


def build_task(backbone: type[Backbone], needs: frozenset[Need] = frozenset()) -> Task:
    """Build a task of nine steps an epoch on the pretend accelerator."""
    from benchbase.testing import pretend

    task = toy_problem(needs=needs, batch_size=8, epochs=3, size=SIZE).task

    def build_model() -> Classifier:
        with seeded(0, "initialisation"):
            model = backbone().build(ImageShape(3, SIZE, SIZE), task.num_classes)
        return model.to(memory_format=torch.channels_last)

    return moved(dataclasses.replace(task, build_model=build_model), pretend.DEVICE)


def count_last_epoch(name: str, backbone: type[Backbone]) -> bytes:
    """Count the operations of a method's last epoch; give those of a step."""
    from benchbase.testing import pretend

    weighter = installed().find("weighters", name).load()
    with pretend.Pretend():
        task = build_task(backbone, weighter.needs)
        fitting, before = weighter().fit(task), 0
        for _ in range(task.recipe.epochs):
            before = task.meter.steps
            pretend.operations.clear()
            next(fitting)
    return str(pretend.operations.total() / (task.meter.steps - before)).encode()


def count_at_start(backbone: type[Backbone]) -> bytes:
    """Count the operations of a step of ERM as it was; there the device drew the moves as well."""
    from benchbase.testing import pretend

    with pretend.Pretend(), torch.device(pretend.DEVICE):
        step = erm_at_start(build_task(backbone))
        step()
        pretend.operations.clear()
        step()
    return str(pretend.operations.total()).encode()


@functools.cache
def at_start(backbone: type[Backbone]) -> float:
    return float(forked(functools.partial(count_at_start, backbone)))


@pytest.mark.parametrize(("name", "backbone", "limit"), LIMITS)
def test_a_step_asks_for_few_operations(name, backbone, limit, hold, benchmark):
    need("pretend-accelerator", there=why_no_pretend() is None)
    count = functools.partial(count_last_epoch, name, backbone)
    counted = benchmark.pedantic(forked, args=(count,), rounds=1)
    hold(f"{name}'s operations, {backbone.name}", float(counted) / at_start(backbone), limit)
