"""The checks that a weighter or a backbone is ready for a GPU, on a pretend one."""

from __future__ import annotations

import functools
from unittest import SkipTest

from benchbase.api import Backbone, Weighter
from benchbase.errors import ContractError
from benchbase.testing.accelerator import FEW, PRETEND, Found, run_on, why_no_pretend
from benchbase.testing.check import Check, enter
from benchbase.testing.waiting import COPY_OUT, COUNT_CHOSEN, FETCH_INDEX, READ_VALUE

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)
CLOSE = 1e-2
"""Largest difference from the CPU, as a share of the largest value, that rounding explains."""
CURES = {
    "different devices": "make tensors where the others are: `torch.zeros_like(step.losses)`, "
    "`torch.zeros(n, device=task.device)`",
    "NumPy array": "compute in torch, or read once an epoch: `values.cpu().numpy()`",
}
"""What an error says, and what to do about it."""
INSTEAD = {
    READ_VALUE: "instead of `.item()`, `float()` or `if`, leave it a tensor, as in "
    "`torch.where(a > b, c, d)`, and read sums once an epoch",
    COUNT_CHOSEN: "instead of `values[mask]`, keep the shape, as in `values * mask` or "
    "`torch.where(mask, values, 0.0)`",
    COPY_OUT: "instead of `.cpu()` or `.tolist()` at each step, collect on the device and read "
    "once an epoch",
    FETCH_INDEX: "make the index on the device, or move it there once a pass: `.to(task.device)`",
}
"""What the host waited for, and what to write."""


@_check()
def runs_on_an_accelerator(plugin: type[Weighter | Backbone]) -> None:
    """With everything on a device that is not the CPU, it runs and computes the same."""
    found = _found(plugin)
    if found.error is not None:
        cure = next((cure for words, cure in CURES.items() if words in found.error), "")
        raise ContractError(f"{found.error} ({found.place})" + (cure and f": {cure}"))
    largest = max(found.differences, default=0.0)
    if largest > CLOSE:
        raise ContractError(
            f"on an accelerator it computes otherwise than on the CPU, by {largest:.0%} of the "
            "largest value: what does it do on the CPU alone?"
        )


@_check()
def does_not_stall_it(plugin: type[Weighter | Backbone]) -> None:
    """Between two checkpoints the host waits for the device a few times, not at each step."""
    found = _found(plugin)
    if found.error is not None:
        raise SkipTest("it does not run on an accelerator")
    if found.stalls > FEW:
        count, wait = max((count, wait) for wait, count in found.waits.items())
        what, _, place = wait.partition(" at ")
        raise ContractError(
            f"the host waited {found.stalls} times for the accelerator between two checkpoints, "
            f"expected at most {FEW}, however many steps; {count} times {what} ({place}): "
            f"{INSTEAD[what]}"
        )


@functools.lru_cache(maxsize=1)
def _found(plugin: type[Weighter | Backbone]) -> Found:
    """Run it once for both checks.

    Raises:
        SkipTest: no device can be pretended here, or it lacks an operation.
    """
    lacking = why_no_pretend()
    if lacking is None:
        found = run_on(PRETEND, lambda: plugin)
        if "PrivateUse1" not in (found.error or ""):
            return found
        lacking = f"the pretend accelerator is no match for it, try a card: {found.error:.300}"
    raise SkipTest(lacking)
