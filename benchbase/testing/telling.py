"""Words for a failed check: what was raised, where in the author's own files, and the cure."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import benchbase
from benchbase.errors import causes

BENCHBASE, TESTING = Path(benchbase.__file__).parent, Path(__file__).parent

HINTS: dict[type[BaseException], str] = {
    FrozenInstanceError: (
        "an instance is a setting that many runs share: what a run has to remember is a local "
        "variable of `prepare` or `fit`, written to with `nonlocal`"
    ),
}
"""What to do about an error that does not say it."""


def tell(error: Exception, cls: type[Any]) -> str:
    """Say what was raised in a check of a class, where, and what to do."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    where = _place(error, cls)
    if where and f"{where.partition(', line')[0]}, line" not in text:
        text = f"{text}\n({where})"
    hint = next((HINTS[type(one)] for one in causes(error) if type(one) in HINTS), "")
    return f"{text}\n{hint}" if hint else text


def place_of(frames: Iterable[tuple[str, int]], cls: type[Any]) -> str:
    """Name the first of some frames (file, line) that is the class's own, else benchbase's.

    Frames are given from the innermost one on; those of this room are nobody's.
    """
    ours = ""
    for file, line in frames:
        folders = Path(file).parents
        if is_own(file, cls):
            return f"{file}, line {line}"
        if not ours and BENCHBASE in folders and TESTING not in folders:
            ours = f"{file}, line {line}"
    return ours


def is_own(file: str, cls: type[Any]) -> bool:
    """Tell whether a file is the class's module, or of the package that it stands in."""
    own: str | None = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return own is not None and (
        file == own or ("." in cls.__module__ and Path(file).parent == Path(own).parent)
    )


def _place(error: Exception, cls: type[Any]) -> str:
    """Name the innermost line of the class's own files, or where the class begins."""
    own: str | None = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if own is None:
        return ""
    for cause in reversed([*causes(error)]):
        for frame in reversed(traceback.extract_tb(cause.__traceback__)):
            if is_own(frame.filename, cls):
                return f"{frame.filename}, line {frame.lineno}"
    try:
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return own
    return f"{own}, line {line}, class {cls.__name__}"
