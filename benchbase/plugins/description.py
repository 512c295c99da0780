"""What a plugin says about itself, as values that cross a process boundary."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbase.options import OptionSpec, options_of
from benchbase.plugins.code import code_hash
from benchbase.plugins.discovery import find_one, module_source_hash
from benchbase.plugins.sources import PluginSource, load_weighters

if TYPE_CHECKING:
    from benchbase.api import Weighter


@dataclass(frozen=True)
class WeighterDescription:
    """A weighter class, without the class."""

    name: str
    options: tuple[OptionSpec, ...]
    needs: tuple[str, ...]
    """Values of its Needs, sorted."""
    honesty: str
    paper: str
    summary: str
    source_hash: str
    """SHA-256 of the module that defines it."""
    distribution: str
    """Who ships it; ``file`` or ``module`` for one given by path or name."""
    version: str


@dataclass(frozen=True)
class PluginDescription:
    """A source and its weighters."""

    source: PluginSource
    weighters: tuple[WeighterDescription, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PluginDescription:
        """Read what ``to_json`` wrote."""
        weighters = tuple(
            WeighterDescription(
                **{
                    **each,
                    "options": tuple(OptionSpec.from_json(one) for one in each["options"]),
                    "needs": tuple(each["needs"]),
                }
            )
            for each in value["weighters"]
        )
        return cls(PluginSource.from_json(value["source"]), weighters)


def describe(source: PluginSource) -> PluginDescription:
    """Import a source and tell what it brings.

    Raises:
        PluginError: it does not load.
    """
    classes = load_weighters(source)
    return PluginDescription(source, tuple(_describe_class(source, cls) for cls in classes))


def _describe_class(source: PluginSource, cls: type[Weighter]) -> WeighterDescription:
    distribution, version = str(source.kind), ""
    if source.kind == "installed":
        found = find_one("weighters", source.target)
        distribution, version = found.distribution, found.version
    if source.kind == "file":
        source_hash = code_hash(Path(source.target).read_bytes())
    else:
        source_hash = module_source_hash(cls.__module__)
    return WeighterDescription(
        name=cls.name,
        options=options_of(cls),
        needs=tuple(sorted(need.value for need in cls.needs)),
        honesty=cls.honesty.value,
        paper=cls.paper,
        summary=summary_of(cls),
        source_hash=source_hash,
        distribution=distribution,
        version=version,
    )


def summary_of(cls: type) -> str:
    """Give the first line of a class's own docstring; empty where a dataclass made one up."""
    text = (cls.__doc__ or "").strip()
    made_up = text.startswith(f"{cls.__name__}(")
    return "" if made_up or not text else text.splitlines()[0].strip()
