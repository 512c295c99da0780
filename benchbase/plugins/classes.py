"""What a plugin's class must be, checked when it loads, so that mistakes show before a run."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from benchbase.errors import PluginError
from benchbase.options import options_of

_BASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "weighters": ("benchbase.api", ("Weighter",)),
    "backbones": ("benchbase.api", ("Backbone",)),
    "datasets": ("benchbase.data.contract", ("DataSet",)),
    "corruptions": ("benchbase.data.contract", ("Noise", "Imbalance")),
    "metrics": ("benchbase.judging.metrics", ("Metric",)),
    "executors": ("benchbase.running.executors.contract", ("Executor",)),
}
_WITH_OPTIONS = ("weighters", "backbones", "datasets", "corruptions")
_FACTS = ("name", "kind", "needs", "honesty", "paper")
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


def bases_of(kind: str) -> tuple[type[Any], ...]:
    """Give the contract's base classes of a kind; weighters and backbones import torch."""
    module, names = _BASES[kind]
    return tuple(getattr(importlib.import_module(module), name) for name in names)


def name_of(kind: str, cls: type) -> str | None:
    """Give the name that a plugin class states, if it does."""
    name = getattr(cls, "kind" if kind == "corruptions" else "name", None)
    return name if isinstance(name, str) else None


def check_class(kind: str, cls: Any) -> None:
    """Check what a plugin class states about itself.

    Raises:
        PluginError: it is not what the contract of its kind asks for.
    """
    if not isinstance(cls, type):
        raise PluginError(f"expected a class, got {cls!r:.80}: return the class, not an instance")
    bases = bases_of(kind)
    if not issubclass(cls, bases):
        wanted = " or ".join(base.__name__ for base in bases)
        raise PluginError(f"{cls.__name__} is not a subclass of {wanted}")
    lacking = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
    if lacking:
        raise PluginError(f"{cls.__name__} is abstract: it lacks {lacking}")
    attribute = "kind" if kind == "corruptions" else "name"
    name = name_of(kind, cls)
    if name is None:
        raise PluginError(f'{cls.__name__} has no {attribute}: write `{attribute} = "my-method"`')
    if not _NAME.fullmatch(name):
        raise PluginError(
            f"{cls.__name__}.{attribute} is {name!r}: expected lower-case letters, digits, - and "
            "_, starting with a letter"
        )
    if kind in _WITH_OPTIONS:
        _check_options(cls)
    if kind == "weighters":
        _check_facts(cls)


def _check_options(cls: type) -> None:
    for parent in cls.__mro__:
        annotated = [
            field
            for field, annotation in inspect.get_annotations(parent).items()
            if "ClassVar" not in str(annotation)
        ]
        parameters = parent.__dict__.get("__dataclass_params__")
        if parameters is None:
            # A fact may be annotated in a plain class; in a dataclass it would become an option.
            options = [field for field in annotated if field not in _FACTS]
            if options:
                raise PluginError(
                    f"{parent.__name__} has the options {', '.join(options)} and is not a frozen "
                    "dataclass: add @dataclass(frozen=True) above it"
                )
        elif not parameters.frozen:
            raise PluginError(
                f"{parent.__name__} is a dataclass that can change: write @dataclass(frozen=True)"
            )
        else:
            for fact in sorted(set(annotated) & set(_FACTS)):
                raise PluginError(
                    f"{parent.__name__}.{fact} is annotated, which makes it an option: write "
                    f"`{fact} = ...` without a type, or `{fact}: ClassVar[...]`"
                )
    if "__dataclass_params__" not in cls.__dict__ and "__init__" in cls.__dict__:
        raise PluginError(
            f"{cls.__name__} has an __init__ of its own: options are the fields of a frozen "
            "dataclass (@dataclass(frozen=True)), run state is born in `fit` or `prepare`"
        )
    options_of(cls)


def _check_facts(cls: Any) -> None:
    from benchbase.api import Honesty, Need

    needs = cls.needs
    if not isinstance(needs, frozenset) or not all(isinstance(need, Need) for need in needs):
        raise PluginError(
            f"{cls.__name__}.needs is {needs!r}: expected a frozenset of Need, such as "
            "frozenset({Need.TRUSTED})"
        )
    if not isinstance(cls.honesty, Honesty):
        raise PluginError(
            f"{cls.__name__}.honesty is {cls.honesty!r}: expected one of "
            f"{', '.join(f'Honesty.{one.name}' for one in Honesty)}"
        )
    if not isinstance(cls.paper, str):
        raise PluginError(f"{cls.__name__}.paper is {cls.paper!r}: expected a text")
