"""The kinds of thing that a plugin brings, and what a class of each must be.

Checked when a class loads, so that mistakes show before a run. All kinds have one shape: a frozen
dataclass whose fields are its options, with a ``name``.
"""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from benchbase.cell import Invariances
from benchbase.data.card import Card
from benchbase.errors import PluginError
from benchbase.options import options_of


@dataclass(frozen=True)
class Kind:
    """One kind: its words and its contract."""

    plural: str
    """As in ``register_<plural>`` and ``benchbase list <plural>``."""
    thing: str
    """One of them, for messages."""
    module: str
    base: str
    """The contract's class in ``module``."""

    def contract(self) -> type[Any]:
        """Import the contract's class; that of weighters and backbones imports torch."""
        cls: type[Any] = getattr(importlib.import_module(self.module), self.base)
        return cls


KINDS = {
    kind.plural: kind
    for kind in (
        Kind("weighters", "weighter", "benchbase.api", "Weighter"),
        Kind("backbones", "backbone", "benchbase.api", "Backbone"),
        Kind("datasets", "data set", "benchbase.data.contract", "DataSet"),
        Kind("noises", "noise", "benchbase.data.contract", "Noise"),
        Kind("imbalances", "imbalance", "benchbase.data.contract", "Imbalance"),
        Kind("metrics", "metric", "benchbase.judging.metrics", "Metric"),
        Kind("executors", "executor", "benchbase.running.executors.contract", "Executor"),
    )
}

_FACTS = (
    "name",
    "version",
    "needs",
    "honesty",
    "paper",
    "invariances",
    "truth_known",
    "trusted",
    "card",
)
"""What a class states of itself: no options, though a dataclass might take them for some."""
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
"""What anything that a plugin brings may be called."""


def check_class(kind: str, cls: Any) -> None:
    """Check what a plugin class states about itself.

    Raises:
        PluginError: it is not what the contract of its kind asks for.
    """
    if not isinstance(cls, type):
        raise PluginError(f"expected a class, got {cls!r:.80}: return the class, not an instance")
    base = KINDS[kind].contract()
    if not issubclass(cls, base):
        raise PluginError(f"{cls.__name__} is not a subclass of {base.__name__}")
    lacking = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
    if lacking:
        raise PluginError(f"{cls.__name__} is abstract: it lacks {lacking}")
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        raise PluginError(f'{cls.__name__} has no name: write `name = "my-{kind[:-1]}"`')
    if not NAME.fullmatch(name):
        raise PluginError(
            f"{cls.__name__}.name is {name!r}: expected lower-case letters, digits, - and _, "
            "starting with a letter"
        )
    version = getattr(cls, "version", "")
    if not isinstance(version, str):
        raise PluginError(f'{cls.__name__}.version is {version!r}: expected a text, such as "1"')
    _check_options(cls)
    if kind == "weighters":
        _check_facts(cls)
    if kind == "datasets":
        _check_statements(cls)


def _check_statements(cls: type) -> None:
    kept, known = getattr(cls, "invariances", None), getattr(cls, "truth_known", None)
    if not isinstance(kept, Invariances):
        raise PluginError(
            f"{cls.__name__}.invariances is {kept!r:.80}: expected what keeps the class "
            'of its images, such as Invariances(flips="both", windows="none")'
        )
    if not isinstance(known, bool):
        raise PluginError(
            f"{cls.__name__}.truth_known is {known!r:.80}: expected True where its labels are "
            "right, False where they are as given"
        )
    card = getattr(cls, "card", None)
    if card is not None and not isinstance(card, Card):
        raise PluginError(f"{cls.__name__}.card is {card!r:.80}: expected a Card, or None")


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
            "dataclass (@dataclass(frozen=True)), run state is born where it runs"
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
