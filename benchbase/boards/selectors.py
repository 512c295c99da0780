"""A plugin as it is chosen: a name, and settings that may be grids.

On the command line ``cutoff[share=0.2,0.5]`` sets one option of ``cutoff``, to a grid of two.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchbase.errors import UsageError
from benchbase.options import QUOTE, OptionSpec, split_unquoted, unknown, unquote


@dataclass(frozen=True)
class Selector:
    """A name with settings as typed: ``cutoff[share=0.2,0.5]``; several values are a grid."""

    name: str
    """An installed name, a path or a module."""
    settings: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def points(self) -> list[Selector]:
        """Expand the grid, values as typed: one value a setting, settings sorted by name."""
        axes = [[(key, (value,)) for value in values] for key, values in sorted(self.settings)]
        return [Selector(self.name, settings) for settings in itertools.product(*axes)]


def parse_selector(text: str) -> Selector:
    """Read ``name``, or ``name[option=value,other=1,2]``; see ``unquote`` for odd values.

    Raises:
        UsageError: it is not of that form, or an option stands there twice.
    """
    match = re.fullmatch(r'\s*(\S.*?)\s*\[((?:[^][\"]|"(?:[^"\\]|\\.)*")*)\]\s*', text)
    if match is None:
        if not text.strip() or text.rstrip().endswith("]") or re.search(r"\[[^]/]*=[^]]*$", text):
            raise UsageError(f"{text!r}: expected a name or name[option=value,...]")
        return Selector(text.strip())
    name, inside = match.groups()
    settings: dict[str, list[str]] = {}
    current: list[str] | None = None
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
        current.append(unquote(value))
    return Selector(name, tuple((key, tuple(values)) for key, values in settings.items()))


def looks_like_path(name: str) -> bool:
    """Tell whether a name on the command line means a file."""
    return name.endswith(".py") or "/" in name or name.startswith((".", "~"))


def expand(selector: Selector, specs: Sequence[OptionSpec]) -> list[dict[str, Any]]:
    """Give the selector's grid, each point once, holding only what differs from the defaults.

    Raises:
        UsageError: an option is unknown (the error names the nearest), or a value does not fit.
    """
    known = {spec.name: spec for spec in specs}
    axes: list[list[tuple[OptionSpec, Any]]] = []
    for name, texts in selector.settings:
        if name not in known:
            raise UsageError(f"{selector.name}: {unknown('option', name, known)}")
        spec = known[name]
        try:
            axes.append([(spec, spec.parse(text)) for text in texts])
        except UsageError as error:
            raise UsageError(f"{selector.name}: {error}") from None
    points: list[dict[str, Any]] = []
    for choice in itertools.product(*axes):
        point = {spec.name: value for spec, value in choice if value != spec.default}
        if point not in points:
            points.append(point)
    return points
