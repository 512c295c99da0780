"""Dataclass field <-> command-line option <-> JSON: how a plugin's options are declared and set.

A frozen dataclass's fields are its options; ``boards.selectors`` sets them. What differs from the
defaults is what a cell's identity holds.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchbase.errors import PluginError, UsageError

_TYPES: dict[type, str] = {int: "int", float: "float", bool: "bool", str: "str"}
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "none": None}
_INT = r"[+-]?[0-9]{1,300}"
_FLOAT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?"
QUOTE = '"'


def option(
    default: Any,
    help: str,
    *,
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare a field of a frozen dataclass as a typed, documented option.

    The field's annotation (``int``, ``float``, ``bool``, ``str``, or one of them ``| None``) is
    the option's type; ``min`` and ``max`` are inclusive. ``benchbase info NAME`` prints it,
    ``--plugin name[field=value]`` sets it.
    """
    metadata = {"help": help, "min": min, "max": max, "choices": choices}
    return dataclasses.field(default=default, metadata={"option": metadata})


@dataclass(frozen=True)
class OptionSpec:
    """One option of a plugin class."""

    name: str
    type: str
    """``int``, ``float``, ``bool`` or ``str``."""
    default: Any
    help: str = ""
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] | None = None
    optional: bool = False
    """Whether ``none`` is a value too."""

    @property
    def expects(self) -> str:
        """Say which values are allowed: ``float from 0 to 1, or none``."""
        text = f"one of {', '.join(self.choices)}" if self.choices else self.type
        if self.type == "bool":
            text = "true or false"
        if self.min is not None and self.max is not None:
            text += f" from {self.min:g} to {self.max:g}"
        elif self.min is not None:
            text += f" of at least {self.min:g}"
        elif self.max is not None:
            text += f" of at most {self.max:g}"
        return f"{text}, or none" if self.optional else text

    def check(self, value: Any) -> Any:
        """Give ``value`` in the option's type (a whole number may stand for a float).

        Raises:
            UsageError: it is not of the option's type or out of its range.
        """
        if value is None and self.optional:
            return None
        if self.type == "float" and type(value) is int:
            value = float(value)
        fits = _TYPES.get(type(value)) == self.type
        if fits and self.type == "float":
            fits = math.isfinite(value)
        if fits and self.type in ("int", "float"):
            fits = (self.min is None or value >= self.min) and (
                self.max is None or value <= self.max
            )
        if fits and self.choices is not None:
            fits = value in self.choices
        if not fits:
            problem = f"option {self.name}: expected {self.expects}, got {value!r}"
            if self.type == "str" and not isinstance(value, str):
                problem += f'; a text that reads as something else is quoted: "{value}"'
            raise UsageError(problem)
        return value


def options_of(cls: type) -> tuple[OptionSpec, ...]:
    """Read a plugin class's options from its dataclass fields; none for a plain class.

    Raises:
        PluginError: a field has no default, or one that its type or range rules out, or a type
            other than int, float, bool, str and these ``| None``.
    """
    if not dataclasses.is_dataclass(cls):
        return ()
    return tuple(_spec(cls, field) for field in dataclasses.fields(cls) if field.init)


def _spec(cls: type, field: dataclasses.Field[Any]) -> OptionSpec:
    where = f"{cls.__name__}.{field.name}"
    type_name, optional = _type_of(cls, field, where)
    if field.default is dataclasses.MISSING:
        raise PluginError(
            f"{where} has no default: give it one, so that the method runs without any option "
            f"(`{field.name}: {type_name} = option(..., help=...)`)"
        )
    declared = field.metadata.get("option", {})
    spec = OptionSpec(field.name, type_name, field.default, optional=optional, **declared)
    try:
        default = spec.check(field.default)
    except UsageError as error:
        raise PluginError(f"{where}: its default does not fit: {error}") from None
    return dataclasses.replace(spec, default=default)


def _type_of(cls: type, field: dataclasses.Field[Any], where: str) -> tuple[str, bool]:
    annotation: Any = field.type
    if isinstance(annotation, str):
        owner = next(c for c in cls.__mro__ if field.name in inspect.get_annotations(c))
        # Only this field's annotation: others may name what is imported for type checkers alone.
        alone = {"__annotations__": {field.name: annotation}, "__module__": owner.__module__}
        try:
            annotation = typing.get_type_hints(type(owner.__name__, (), alone))[field.name]
        except (NameError, SyntaxError, TypeError) as error:
            raise PluginError(f"{where}: the annotation means nothing: {error}") from None
    parts = {annotation}
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        parts = set(typing.get_args(annotation))
    kinds = parts - {type(None)}
    if len(kinds) != 1 or not kinds <= _TYPES.keys():
        raise PluginError(
            f"{where}: an option is int, float, bool or str, or one of these | None; got "
            f"{field.type if isinstance(field.type, str) else annotation!r}"
        )
    return _TYPES[kinds.pop()], type(None) in parts


def split_unquoted(text: str) -> list[str]:
    """Split at the commas that stand outside double quotes and brackets."""
    parts, quoted, escaped, depth = [""], False, False, 0
    for letter in text:
        if not quoted:
            depth = max(0, depth + (letter == "[") - (letter == "]"))
        if letter == "," and not quoted and not depth:
            parts.append("")
            continue
        if letter == QUOTE and not escaped:
            quoted = not quoted
        escaped = quoted and letter == "\\" and not escaped
        parts[-1] += letter
    return parts


def read_value(text: str) -> Any:
    """Read none, true, false, a number, or a text: in double quotes where it is like one of these.

    Raises:
        UsageError: it begins with a quote and is no JSON text.
    """
    text = text.strip()
    if text.startswith(QUOTE):
        try:
            return str(json.loads(text))
        except ValueError:
            raise UsageError(
                f"{text}: expected a text in double quotes, as JSON writes it"
            ) from None
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if re.fullmatch(_INT, text):
        return int(text)
    return float(text) if re.fullmatch(_FLOAT, text, re.IGNORECASE) else text


def write_value(value: Any) -> str:
    """Write a value so that ``read_value`` reads it again, in a list and in brackets too."""
    text = str(value)
    odd = not text or re.search(r'[][,="]', text) or read_value(text) != text
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and odd else text


T = typing.TypeVar("T")


def settings_of(plugin: object) -> dict[str, Any]:
    """Give the options that an instance was built with; a class without any is no dataclass."""
    if not dataclasses.is_dataclass(plugin):
        return {}
    return {field.name: getattr(plugin, field.name) for field in dataclasses.fields(plugin)}


def construct(cls: type[T], options: Mapping[str, Any]) -> T:
    """Build an instance of a plugin class with ``options``.

    Raises:
        UsageError: an option is unknown or does not fit, or the class refuses the combination.
    """
    known = {spec.name: spec for spec in options_of(cls)}
    for name in options:
        if name not in known:
            raise UsageError(f"{cls.__name__}: {unknown('option', name, known)}")
    checked = {name: known[name].check(value) for name, value in options.items()}
    try:
        return cls(**checked)
    except Exception as error:
        raise UsageError(f"{cls.__name__} refuses {checked}: {error}") from error


def unknown(what: str, name: str, known: Iterable[str], listed: str = "") -> str:
    """Word an error about an unknown name, with the nearest ones.

    Where none is near it names all, or says where they are ``listed``.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"unknown {what} {name!r}; did you mean {' or '.join(near)}?"
    if names:
        return f"unknown {what} {name!r}; {listed or 'there are ' + ', '.join(names)}"
    return f"unknown {what} {name!r}; there is none"
