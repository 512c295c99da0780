"""The check that all kinds share, and the settings in which a kind is looked at."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from benchbase.errors import ContractError
from benchbase.options import construct, options_of

T = TypeVar("T")


def options_survive_json(plugin: type[Any], *_: Any) -> None:
    """Options come back from JSON the same, and two settings have two texts."""
    built = plugin()
    if not dataclasses.is_dataclass(built):
        return
    options = {spec.name: getattr(built, spec.name) for spec in options_of(plugin)}
    again = construct(plugin, json.loads(json.dumps(options)))
    if again != built or hash(again) != hash(built) or repr(again) != repr(built):
        raise ContractError(
            f"{built!r} comes back from JSON as {again!r}: leave __eq__, __hash__ and __repr__ to "
            "the frozen dataclass"
        )
    for name, value in options.items():
        if f"{name}={value!r}" not in repr(built):
            raise ContractError(f"the repr {built!r} does not show {name}={value!r}")


def settings(cls: type[T], *, option: str, values: Sequence[Any]) -> list[T]:
    """Build a class with each value of an option, or once as it is where it has no such option."""
    if any(spec.name == option for spec in options_of(cls)):
        return [construct(cls, {option: value}) for value in values]
    return [cls()]
