"""Runs plugins on a device and compares with the CPU.

``python -m benchbase.testing.accelerator DEVICE`` reads a JSON list of ``[kind, source, name]``
and writes a line of JSON for each: a process of its own, for a fault may end it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import torch
from torch import Tensor

from benchbase.api import Backbone, Classifier, Grants, Images, ImageShape, Step, Task, Weighter
from benchbase.backbones.building import build_network
from benchbase.data.augment import make_normalise
from benchbase.kit.meta import MetaWeighter
from benchbase.plugins.loading import load_class
from benchbase.plugins.source import Source
from benchbase.running.executors.forkserver import CHILD_ENVIRONMENT
from benchbase.running.trainer import prepare_device
from benchbase.seeding import seeded
from benchbase.testing.toy import toy_problem

Plugin = tuple[str, Source, str]
"""Kind, source and name."""
SHAPE = ImageShape(3, 32, 32)


class Found(msgspec.Struct, frozen=True):
    """What came of one plugin on a device."""

    name: str
    error: str | None
    """None where it ran."""
    differences: list[float]
    """The largest of each checkpoint from the CPU's, as a share of the largest value."""
    seconds: list[float]
    """On the CPU, and on the device."""


def run_on(device: str, plugins: Sequence[Plugin]) -> Iterator[Found]:
    """Run plugins on a device, in a process of its own; whoever ends that is told of as well."""
    left = [(kind, msgspec.to_builtins(source), name) for kind, source, name in plugins]
    while left:
        ran = subprocess.run(
            [sys.executable, "-m", __name__, device],
            input=json.dumps(left),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, **CHILD_ENVIRONMENT},
        )
        found = [msgspec.json.decode(line, type=Found) for line in ran.stdout.splitlines()]
        yield from found
        if len(found) < len(left):
            name, error = left[len(found)][2], f"its process ended with exit code {ran.returncode}"
            yield Found(name=name, error=error, differences=[], seconds=[])
        left = left[len(found) + 1 :]


class _Learning(MetaWeighter):
    """Takes a network through everything: passes forward and backward, and along a tangent."""

    name = "learning"

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        return 1, lambda step: step.losses.detach().unsqueeze(1)


def moved(task: Task, device: torch.device) -> Task:
    """Give a toy task with everything on a device."""
    channels = task.train.pixels.shape[1]

    def images(part: Images | None) -> Images | None:
        if part is None:
            return None
        return Images(part.pixels.to(device), part.labels.to(device), part.rows.to(device))

    train, grants, build = images(task.train), task.grants, task.build_model
    assert train is not None

    def build_model() -> Classifier:
        return build().to(device)

    return dataclasses.replace(
        task,
        train=train,
        device=device,
        build_model=build_model,
        normalise=make_normalise([0.5] * channels, [0.25] * channels, device),
        grants=Grants(
            trusted=images(grants.trusted),
            unlabelled=images(grants.unlabelled),
            oracle=grants.oracle,
            noise_rate=grants.noise_rate,
            truth=None if grants.truth is None else grants.truth.to(device),
        ),
    )


def _found(kind: str, source: Source, name: str, device: torch.device) -> Found:
    """Train on the CPU and on the device, and compare."""
    plugin = load_class(source, kind, name)
    error = None
    differences: list[float] = []
    seconds = [time.perf_counter()]
    try:
        on_cpu = [*_trained(*_contestant(plugin))]
        seconds.append(time.perf_counter())
        weighter, task = _contestant(plugin)
        for expected, got in zip(on_cpu, _trained(weighter, moved(task, device)), strict=True):
            differences.append(max(map(_difference, expected, got)))
    except Exception:  # noqa: BLE001 - whatever a plugin does on a device
        error = traceback.format_exc()
    return Found(
        name=name,
        error=error,
        differences=differences,
        seconds=[after - before for before, after in pairwise([*seconds, time.perf_counter()])],
    )


def _contestant(plugin: type[Any]) -> tuple[Weighter, Task]:
    """Give a method and a fresh toy task for it; a network is taken through its own steps."""
    if issubclass(plugin, Weighter):
        problem = toy_problem(needs=plugin.needs, per_class=48, epochs=3, label_budget=6)
        return plugin(), problem.task
    backbone: Backbone = plugin()
    task = toy_problem(needs=_Learning.needs, epochs=2, size=SHAPE.height).task

    def build_model() -> Classifier:
        with seeded(task.seed, "initialisation"):
            model = build_network(backbone, SHAPE, task.num_classes)
        return model.to(memory_format=torch.channels_last)

    return _Learning(), dataclasses.replace(task, build_model=build_model)


def _trained(weighter: Weighter, task: Task) -> Iterator[list[Tensor]]:
    for checkpoint in weighter.fit(task):
        weights = [] if checkpoint.weights is None else [checkpoint.weights]
        values = (*checkpoint.model.state_dict().values(), *weights)
        yield [value.detach().cpu().clone() for value in values]


def _difference(one: Tensor, other: Tensor) -> float:
    """Give the largest difference as a share of the largest value; 0 only for the same bits."""
    one, other = (value.double().nan_to_num(-1.0) for value in (one, other))
    if torch.equal(one, other):
        return 0.0
    return float((one - other).abs().max() / one.abs().max().clamp_min(1e-12))


def main() -> None:
    """Answer one line for each plugin that is asked for."""
    device = prepare_device(sys.argv[1])
    for kind, source, name in json.load(sys.stdin):
        found = _found(kind, msgspec.convert(source, Source), name, device)
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
