"""Words for a failed check: what was raised, where in the author's own files, and the cure."""

from __future__ import annotations

import inspect
import sys
import traceback
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

from benchbase.errors import causes

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
    if where and where not in text:
        text = f"{text}\n({where})"
    hint = next((HINTS[type(one)] for one in causes(error) if type(one) in HINTS), "")
    return f"{text}\n{hint}" if hint else text


def _place(error: Exception, cls: type[Any]) -> str:
    """Name the innermost line of the class's own files, or where the class begins."""
    own: str | None = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if own is None:
        return ""
    for cause in reversed([*causes(error)]):
        for frame in reversed(traceback.extract_tb(cause.__traceback__)):
            if _is_own(frame.filename, Path(own), cls):
                return f"{frame.filename}, line {frame.lineno}"
    try:
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return own
    return f"{own}, line {line}, class {cls.__name__}"


def _is_own(file: str, own: Path, cls: type[Any]) -> bool:
    """Tell whether a file is the class's module, or of the package that it stands in."""
    return Path(file) == own or ("." in cls.__module__ and Path(file).parent == own.parent)
