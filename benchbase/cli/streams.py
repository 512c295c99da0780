"""What goes to the standard streams, and to which; they may be closed, or know few characters."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_answers: list[TextIO] = []
"""Where the answer of a ``--json`` command goes, while everything else goes to stderr."""


def prepare_streams() -> None:
    """Make the process's streams take whatever is printed.

    A stream that was closed swallows it; a character that the encoding does not know is written as
    its number, instead of ending a run that took hours.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not os.environ.get("COLUMNS", "1").isdigit() or os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]  # no width at all: the terminal's own counts


@contextlib.contextmanager
def answer_in_json(asked: bool) -> Iterator[None]:
    """Keep stdout for ``print_json`` where that was asked for; all else goes to stderr."""
    if not asked:
        yield
        return
    _answers.append(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _answers.pop()


def print_json(answer: Any, indent: int | None = None) -> None:
    """Print a command's answer, one JSON value."""
    stream = _answers[-1] if _answers else sys.stdout
    stream.write(json.dumps(answer, indent=indent) + "\n")
    stream.flush()
