"""The devices that methods train on: all that benchbase asks torch about one, in one module.

A device that is not the CPU answers by torch's module for its kind, ``torch.cuda`` for ``cuda``:
that is where a test puts a pretend one. Torch is imported late, as in all that a parent reads.
"""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchbase.errors import UsageError, causes

if TYPE_CHECKING:
    import torch

FUSED = {"cpu", "cuda"}
"""Kinds whose optimisers have fused steps."""


def names() -> list[str]:
    """Name the GPUs that torch finds; asked in a process of its own, for CUDA survives no fork."""
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def is_started() -> bool:
    """Tell whether this process holds a GPU's context, so that it can no longer fork."""
    import torch

    return bool(torch.cuda.is_initialized())


def choose(asked: str, jobs: int | None, gpus: Sequence[str]) -> list[str]:
    """Give a device for each of so many cells at a time; None for one cell a GPU or core.

    ``asked`` is ``auto``, ``cpu`` or ``cuda``, and ``gpus`` name those that are there.

    Raises:
        UsageError: a GPU is asked for and there is none.
    """
    if asked == "cuda" and not gpus:
        raise UsageError("--device cuda: torch finds no GPU here; use --device cpu or auto")
    if gpus:
        return [f"cuda:{index % len(gpus)}" for index in range(jobs or len(gpus))]
    return ["cpu"] * (jobs or _cores())


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(name: str) -> torch.device:
    """Set the numerics of every child: one thread, float32, deterministic where torch can.

    A child sees no GPU but the one that is named, so that it holds one context.
    """
    import torch

    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else every fresh tensor is filled as well: some 7 % of a small network's step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    kind, _, index = name.partition(":")
    if kind == "cuda":
        # Before CUDA starts in this process; the index counts among what the user left visible.
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        number = int(index or 0)
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[number] if visible[0] else str(number)
    return torch.device(kind)


def peak_memory(device: torch.device) -> int:
    """Give the most bytes that were held: on the device, or on the CPU by this process."""
    if device.type != "cpu":
        return int(_module(device).max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def free_memory(device: torch.device) -> float:
    """Give the bytes that are free on a device; without end on the CPU, where nothing is moved."""
    return math.inf if device.type == "cpu" else _module(device).mem_get_info(device)[0]


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error, or one that it came of, says that memory was not enough."""
    import torch

    return any(
        isinstance(cause, MemoryError | torch.OutOfMemoryError) or "can't allocate" in str(cause)
        for cause in causes(error)
    )


def random_state(device: torch.device) -> torch.Tensor | None:
    """Give the state of a device's global generator; None for the CPU, which has torch's own."""
    return None if device.type == "cpu" else _module(device).get_rng_state(device)


def put_back_random_state(device: torch.device, state: torch.Tensor | None) -> None:
    """Put a device's global generator where ``random_state`` found it."""
    if state is not None:
        _module(device).set_rng_state(state, device)


def _module(device: torch.device) -> Any:
    import torch

    return torch.get_device_module(device)
