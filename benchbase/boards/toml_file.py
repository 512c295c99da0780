"""Reads a TOML file into structs; every error names the file, the key, what was expected and came.

A field says in the ``description`` of its ``Meta`` what is expected of it.
"""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from benchbase.errors import UsageError
from benchbase.options import unknown

Kind = TypeVar("Kind", bound=Struct)


def read_toml(path: Path, kind: type[Kind]) -> Kind:
    """Read a file.

    Raises:
        UsageError: it cannot be read, is not TOML, or holds something else.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from error
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_told(str(error), kind, values)}") from None


@contextmanager
def at(path: Path, key: str) -> Iterator[None]:
    """Name the file and the key in what is raised within.

    Raises:
        UsageError: one was raised within.
    """
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {key}: {error}") from error


def _told(problem: str, kind: type[Struct], values: Any) -> str:
    """Word msgspec's ``Expected ... - at `$.place``` with the key, what it expects and its value.

    What is wrong within a list of texts or numbers is told of the list.
    """
    _, _, place = problem.partition(" - at `$")
    steps = re.findall(r"\w+", place)
    stranger = re.match(r"Object contains unknown field `(.*?)`", problem)
    steps += [stranger[1]] if stranger else []
    key, expected = "", ""
    for step in steps:
        if isinstance(values, list):
            key, values = f"{key}[{step}]", values[int(step)]
            continue
        key = f"{key}.{step}".lstrip(".")
        if step not in kind.__struct_fields__:
            return f"{key}: {unknown('key', step, kind.__struct_fields__)}"
        values = values[step]
        parts = [*_parts(typing.get_type_hints(kind, include_extras=True)[step])]
        expected = [part.description for part in parts if isinstance(part, Meta)][-1] or ""
        within = [part for part in parts if isinstance(part, type) and issubclass(part, Struct)]
        if not within:
            break
        kind = within[0]
    return f"{key}: expected {expected}, got {values!r}"


def _parts(annotation: Any) -> Iterator[Any]:
    """Give all that an annotation consists of, what stands inside first."""
    for argument in typing.get_args(annotation):
        yield from _parts(argument)
    yield annotation
