"""What a machine may lack: a test that needs it is skipped there, unless CI says that it is there.

``BENCHBASE_REQUIRE=fashion-mnist,history`` turns a skip for one of these into a failure.
"""

from __future__ import annotations

import os

import pytest

SWITCH = "BENCHBASE_REQUIRE"
NAMES = {
    "bwrap": "Debian's package bubblewrap is not installed, or namespaces are switched off",
    "chromium": "Debian's package chromium is not installed",
    "fashion-mnist": "Debian's package dataset-fashion-mnist is not installed",
    "history": "this is no git checkout, or one without its whole history",
    "mount": "this is not root, or mounting is not allowed",
    "pretend-accelerator": "this torch has no device that is written in Python",
}
"""What may be missing, and what a skipped test says."""


def required() -> set[str]:
    """Give the names that must be there.

    Raises:
        UsageError: a name is none that a test asks for.
    """
    names = {name.strip() for name in os.environ.get(SWITCH, "").split(",")} - {""}
    if names - NAMES.keys():
        unknown = ", ".join(sorted(names - NAMES.keys()))
        raise pytest.UsageError(f"{SWITCH}: {unknown}; expected some of {', '.join(NAMES)}")
    return names


def need(name: str, *, there: bool) -> None:
    """Skip the test that calls this where something is missing; fail it where it is required."""
    if there:
        return
    if name in required():
        pytest.fail(f"{SWITCH} names {name}, but {NAMES[name]}")
    pytest.skip(NAMES[name])
