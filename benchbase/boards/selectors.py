"""A plugin as it is chosen, and the text that says so.

On the command line and in boards ``cutoff[share=0.2,0.5]`` sets one option of ``cutoff``, once to
each of two values. Nothing else reads or writes this grammar.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchbase.cell import format_label, normalise_distribution
from benchbase.errors import UsageError
from benchbase.options import QUOTE, OptionSpec, read_value, split_unquoted, unknown


@dataclass(frozen=True)
class Selector:
    """A plugin with one value for each option that is set."""

    name: str
    """An installed name, a path or a module."""
    options: tuple[tuple[str, Any], ...] = ()
    """By name."""
    owner: str = ""
    """The distribution that must bring it; empty where any may."""

    @property
    def target(self) -> str:
        """The name under which it is looked for: ``name`` or ``distribution:name``."""
        return f"{self.owner}:{self.name}" if self.owner else self.name

    @property
    def label(self) -> str:
        """The text that means it."""
        return format_label(self.target, dict(self.options))


def parse_selectors(texts: Iterable[str]) -> tuple[Selector, ...]:
    """Read ``name``, ``distribution:name`` or ``name[option=value,other=1,2]``, each once.

    Several values of an option are a grid; see ``read_value`` for what a value may be.

    Raises:
        UsageError: it is not of that form, or an option stands there twice.
    """
    return tuple(dict.fromkeys(point for text in texts for point in _points(text)))


def parse_selector(text: str) -> Selector:
    """Read a selector that is no grid.

    Raises:
        UsageError: it is one, or not of the form that ``parse_selectors`` reads.
    """
    points = _points(text)
    if len(points) > 1:
        raise UsageError(f"{text!r} is a grid: give one value for each option")
    return points[0]


def _points(text: str) -> list[Selector]:
    match = re.fullmatch(r'\s*(\S.*?)\s*\[((?:[^][\"]|"(?:[^"\\]|\\.)*")*)\]\s*', text)
    if match is None:
        if not text.strip() or text.rstrip().endswith("]") or re.search(r"\[[^]/]*=[^]]*$", text):
            raise UsageError(f"{text!r}: expected a name or name[option=value,...]")
        return [_selector(text.strip(), ())]
    name, inside = match.groups()
    settings: dict[str, list[Any]] = {}
    current: list[Any] | None = None
    for item in split_unquoted(inside):
        key, equals, value = (part.strip() for part in item.partition("="))
        if equals and not key.startswith(QUOTE):
            if key in settings:
                raise UsageError(f"{text!r}: option {key} stands there twice; write {key}=1,2")
            current = settings[key] = []
        else:
            value = item.strip()
        if not key or not value or current is None:
            raise UsageError(
                f"{text!r}: expected option=value in the brackets, separated by commas, got "
                f"{item.strip()!r}"
            )
        current.append(read_value(value))
    axes = [[(key, value) for value in values] for key, values in sorted(settings.items())]
    return [_selector(name, options) for options in itertools.product(*axes)]


def _selector(target: str, options: tuple[tuple[str, Any], ...]) -> Selector:
    owner, colon, name = target.rpartition(":")
    if not colon or looks_like_path(target):
        return Selector(target, options)
    return Selector(name, options, normalise_distribution(owner))


def looks_like_path(name: str) -> bool:
    """Tell whether a name on the command line means a file."""
    return name.endswith(".py") or "/" in name or name.startswith((".", "~"))


def settle(selector: Selector, specs: Sequence[OptionSpec]) -> dict[str, Any]:
    """Give the options, each in the type that the plugin declares, where they differ from defaults.

    Raises:
        UsageError: an option is unknown (the error names the nearest), or a value does not fit.
    """
    known = {spec.name: spec for spec in specs}
    settled = {}
    for name, value in selector.options:
        if name not in known:
            raise UsageError(f"{selector.target}: {unknown('option', name, known)}")
        try:
            checked = known[name].check(value)
        except UsageError as error:
            raise UsageError(f"{selector.target}: {error}") from None
        if checked != known[name].default:
            settled[name] = checked
    return settled
