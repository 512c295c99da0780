"""Trains plugins on a device and compares with the CPU: on a pretend one, or on a real one.

Each is run in a forked process: it has what this one has loaded, a pretend device is global to a
process, and whatever ends that process is told of as well.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import torch
from torch import Tensor, nn
from torch.utils import backend_registration
from torchvision.ops import StochasticDepth

from benchbase.api import Backbone, Classifier, Grants, Images, ImageShape, Step, Task, Weighter
from benchbase.backbones.building import build_network
from benchbase.data.augment import make_normalise
from benchbase.kit import devices
from benchbase.kit.meta import MetaWeighter
from benchbase.seeding import seeded
from benchbase.testing.telling import place_of
from benchbase.testing.toy import toy_problem

PRETEND = "pretend"
FEW = 8
"""Times that the host may wait for the device between two checkpoints, whatever the steps."""
SHAPE = ImageShape(3, 32, 32)
DROPPING = (nn.Dropout, nn.Dropout2d, StochasticDepth)


class Found(msgspec.Struct, frozen=True):
    """What came of one plugin on a device."""

    error: str | None = None
    """None where it ran."""
    place: str = ""
    """Where the error was raised, in the plugin if it had a part in it."""
    traceback: str = ""
    differences: list[float] = []
    """The largest of each checkpoint from the CPU's, as a share of the largest value."""
    waits: dict[str, int] = {}
    """What the host waited for before the checkpoint that it waited most for, and how often."""
    operations: float = 0.0
    """On the device, for each step; 0 where it does not count."""
    seconds: list[float] = []
    """On the CPU, and on the device."""

    @property
    def stalls(self) -> int:
        """How often the host waited at most between two checkpoints."""
        return sum(self.waits.values())


def why_no_pretend() -> str | None:
    """Say what is lacking for a device that is written in Python; None where nothing is."""
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        return f"torch {torch.__version__} has no devices that are written in Python"
    if sys.platform != "linux":
        return f"{sys.platform} cannot safely fork a process that has computed"
    return None


def run_on(device: str, load: Callable[[], type[Any]], *, images_fit: bool = True) -> Found:
    """Train a plugin, a weighter or a backbone, on the CPU and on a device; compare.

    Images that do not fit the device stay on the host. For ``cuda``, this process must not have
    asked for a GPU before.
    """
    answer = forked(lambda: msgspec.json.encode(_found(load, _Device.named(device), images_fit)))
    if isinstance(answer, int):
        return Found(error=f"its process ended with exit code {answer}")
    return msgspec.json.decode(answer, type=Found)


def forked(work: Callable[[], bytes]) -> bytes | int:
    """Do some work in a forked process; give its answer, or the exit code of one without."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=_answer, args=(sender, work), daemon=True)
    with warnings.catch_warnings():  # of other threads, which the child does without
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    sender.close()
    try:
        return receiver.recv_bytes()
    except EOFError:
        child.join()
        return child.exitcode or 0
    finally:
        child.kill()
        child.join()
        receiver.close()


def _answer(sender: Connection, work: Callable[[], bytes]) -> None:
    warnings.simplefilter("ignore")  # the checks on the CPU show them
    sender.send_bytes(work())


class _Learning(MetaWeighter):
    """Takes a network through everything: passes forward and backward, and along a tangent."""

    name = "learning"

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        return 1, lambda step: step.losses.detach().unsqueeze(1)


def moved(task: Task, device: torch.device, *, images_fit: bool = True) -> Task:
    """Give a toy task with everything on a device, or everything but the images."""
    channels = task.train.pixels.shape[1]
    place = device if images_fit else torch.device("cpu")

    def images(part: Images | None) -> Images | None:
        if part is None:
            return None
        return Images(part.pixels.to(place), part.labels.to(device), part.rows.to(place))

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
    waits: Counter[Any] = dataclasses.field(default_factory=Counter)
    operations: Counter[str] = dataclasses.field(default_factory=Counter)

    @classmethod
    def named(cls, name: str) -> _Device:
        """Make the pretend device in this process, or take a real one."""
        if name != PRETEND:
            return cls(devices.prepare(name))
        from benchbase.testing import pretend

        devices.prepare("cpu")
        return cls(pretend.DEVICE, pretend.Pretend, pretend.waits, pretend.operations)


def _found(load: Callable[[], type[Any]], device: _Device, images_fit: bool) -> Found:
    """Train on the CPU, and on the device with or without the images there; compare."""
    plugin, steps = load(), 0
    waits: Counter[Any] = Counter()
    failure: dict[str, str] = {}
    differences: list[float] = []
    seconds = [time.perf_counter()]
    try:
        on_cpu = [*_trained(*_contestant(plugin))]
        seconds.append(time.perf_counter())
        weighter, task = _contestant(plugin)
        with device.working():
            task = moved(task, device.device, images_fit=images_fit)
            device.waits.clear()
            device.operations.clear()
            for expected, got in zip(on_cpu, _trained(weighter, task), strict=True):
                # Before the look at what came.
                waits = max(waits, Counter(device.waits), key=Counter.total)
                differences.append(_difference(expected, got))
                device.waits.clear()
        steps = task.meter.steps
    except Exception as raised:  # noqa: BLE001 - whatever a plugin does on a device
        stack = traceback.extract_tb(raised.__traceback__)
        failure = {
            "error": f"{type(raised).__name__}: {raised}",
            "place": place_of([(each.filename, each.lineno or 0) for each in stack[::-1]], plugin),
            "traceback": traceback.format_exc(),
        }
    placed: Counter[str] = Counter()
    for (what, frames), count in waits.items():
        placed[f"{what} at {place_of(frames, plugin)}"] += count
    return Found(
        **failure,
        differences=differences,
        waits=dict(placed),
        operations=device.operations.total() / max(1, steps),
        seconds=[after - before for before, after in pairwise([*seconds, time.perf_counter()])],
    )


def _contestant(plugin: type[Any]) -> tuple[Weighter, Task]:
    """Give a method and a fresh toy task for it; a network is taken through its own steps."""
    if issubclass(plugin, Weighter):
        problem = toy_problem(needs=plugin.needs, batch_size=8, epochs=3, label_budget=6)
        return plugin(), problem.task
    backbone: Backbone = plugin()
    # Three passes through a network in each step: a wait in each is more than a few.
    task = toy_problem(
        needs=_Learning.needs, epochs=1, per_class=6, batch_size=6, size=SHAPE.height
    ).task

    def build_model() -> Classifier:
        with seeded(task.seed, "initialisation"):
            model = build_network(backbone, SHAPE, task.num_classes)
        for layer in model.modules():
            if isinstance(layer, DROPPING):  # for a card draws otherwise than the CPU
                layer.p = 0.0
        return model.to(memory_format=torch.channels_last)

    # Small steps: batch norm over six images makes much of a last bit in what they lead to.
    recipe = dataclasses.replace(task.recipe, learning_rate=1e-4)
    return _Learning(), dataclasses.replace(task, build_model=build_model, recipe=recipe)


def _trained(weighter: Weighter, task: Task) -> Iterator[list[Tensor]]:
    for checkpoint in weighter.fit(task):
        weights = [] if checkpoint.weights is None else [checkpoint.weights]
        yield [_on_host(value) for value in (*checkpoint.model.state_dict().values(), *weights)]


def _on_host(value: Tensor) -> Tensor:
    raw: Tensor = getattr(value, "raw", value)
    return raw.detach().cpu().clone()


def _difference(expected: list[Tensor], got: list[Tensor]) -> float:
    """Give the largest difference as a share of its tensor's largest value; 0 for the same bits.

    What is a thousandth of all others, as a mean that should be zero, is measured by these.
    """
    pairs = [
        [value.double().nan_to_num(-1.0) for value in pair]
        for pair in zip(expected, got, strict=True)
    ]
    largest = [float(one.abs().max()) for one, _ in pairs]
    least = max(1e-12, 1e-3 * max(largest))
    return max(
        float((one - other).abs().max()) / max(scale, least)
        for (one, other), scale in zip(pairs, largest, strict=True)
    )
