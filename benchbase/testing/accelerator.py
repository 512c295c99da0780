"""Runs plugins on a device and compares with the CPU: on a pretend one, or on a real one.

``python -m benchbase.testing.accelerator DEVICE`` reads a JSON list of ``[kind, source, name]``
and writes a line of JSON for each: a process of its own, for the pretend device is global to one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any

import msgspec
import torch
from torch import Tensor
from torch.utils import backend_registration

from benchbase.api import Backbone, Classifier, Grants, Images, ImageShape, Step, Task, Weighter
from benchbase.backbones.building import build_network
from benchbase.data.augment import make_normalise
from benchbase.kit import descent
from benchbase.kit.meta import MetaWeighter
from benchbase.plugins.loading import load_class
from benchbase.plugins.source import Source
from benchbase.running.executors.forkserver import CHILD_ENVIRONMENT
from benchbase.running.trainer import prepare_device
from benchbase.seeding import seeded
from benchbase.testing.toy import toy_problem

Plugin = tuple[str, Source, str]
"""Kind, source and name."""
PRETEND = "pretend"
FEW = 6
"""Times that the host may wait for the device between two checkpoints, whatever the steps."""
SHAPE = ImageShape(3, 32, 32)


class Found(msgspec.Struct, frozen=True):
    """What came of one plugin on a device."""

    name: str
    error: str | None
    """None where it ran."""
    differences: list[float] = []
    """The largest of each checkpoint from the CPU's, as a share of the largest value."""
    waits: dict[str, int] = {}
    """What the host waited for between the last two checkpoints, and where -> how often."""
    operations: float = 0.0
    """On the device, for each step; 0 where it does not count."""
    seconds: list[float] = []
    """On the CPU, and on the device."""

    @property
    def stalls(self) -> int:
        """How often the host waited between the last two checkpoints."""
        return sum(self.waits.values())


def has_pretend() -> bool:
    """Tell whether this torch can have a device that is written in Python."""
    return hasattr(backend_registration, "_setup_privateuseone_for_python_backend")


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
            yield Found(name=name, error=error)
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


@dataclasses.dataclass(frozen=True)
class _Device:
    """A device under test, what lets tensors be made on it, and what it counted, if it counts."""

    device: torch.device
    working: Callable[[], AbstractContextManager[Any]] = nullcontext
    waits: Counter[str] = dataclasses.field(default_factory=Counter)
    operations: Counter[str] = dataclasses.field(default_factory=Counter)

    @classmethod
    def named(cls, name: str) -> _Device:
        """Make the pretend device in this process, or take a real one."""
        if name != PRETEND:
            return cls(prepare_device(name))
        from benchbase.testing import pretend

        prepare_device("cpu")
        descent.FUSED.add(PRETEND)
        return cls(pretend.DEVICE, pretend.Pretend, pretend.waits, pretend.operations)


def _found(kind: str, source: Source, name: str, device: _Device) -> Found:
    """Train on the CPU and on the device, and compare."""
    plugin = load_class(source, kind, name)
    waits, error, steps = Counter[str](), None, 0
    differences: list[float] = []
    seconds = [time.perf_counter()]
    try:
        on_cpu = [*_trained(*_contestant(plugin))]
        seconds.append(time.perf_counter())
        weighter, task = _contestant(plugin)
        with device.working():
            task = moved(task, device.device)
            device.operations.clear()
            for expected, got in zip(on_cpu, _trained(weighter, task), strict=True):
                waits = Counter(device.waits)  # before the look at what came
                differences.append(max(map(_difference, expected, got)))
                device.waits.clear()
        steps = task.meter.steps
    except Exception:  # noqa: BLE001 - whatever a plugin does on a device
        error = traceback.format_exc()
    return Found(
        name=name,
        error=error,
        differences=differences,
        waits=dict(waits),
        operations=device.operations.total() / max(1, steps),
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
        yield [_on_host(value) for value in (*checkpoint.model.state_dict().values(), *weights)]


def _on_host(value: Tensor) -> Tensor:
    raw: Tensor = getattr(value, "raw", value)
    return raw.detach().cpu().clone()


def _difference(one: Tensor, other: Tensor) -> float:
    """Give the largest difference as a share of the largest value; 0 only for the same bits."""
    one, other = (value.double().nan_to_num(-1.0) for value in (one, other))
    if torch.equal(one, other):
        return 0.0
    return float((one - other).abs().max() / one.abs().max().clamp_min(1e-12))


def main() -> None:
    """Answer one line for each plugin that is asked for."""
    device = _Device.named(sys.argv[1])
    for kind, source, name in json.load(sys.stdin):
        found = _found(kind, msgspec.convert(source, Source), name, device)
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
