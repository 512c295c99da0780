"""What the tests of every kind's checks have in common: a plugin that breaks one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from benchbase.testing.check import Check
from benchbase.testing.checks import CHECKS
from benchbase.testing.conformance import kind_of

Broken = tuple[str, type[Any], str]
"""A check, a plugin that it finds, and what it says."""


def each_of(broken: Sequence[Broken]) -> pytest.MarkDecorator:
    """Run a test for each plugin, under its name."""
    names = [plugin.__name__ for _, plugin, _ in broken]
    return pytest.mark.parametrize(("name", "plugin", "message"), broken, ids=names)


def check_named(kind: str, name: str) -> Check:
    """Give a check of a kind."""
    return next(check for check in CHECKS[kind] if check.name == name)


def check_finds(name: str, plugin: type[Any], message: str) -> None:
    """Tell that a check fails a plugin, and with these words."""
    with pytest.raises(Exception, match=message):
        check_named(kind_of(plugin), name)(plugin)


def names_of_checks(kind: str) -> set[str]:
    """Give what must be found of a kind; that options survive JSON is the same for all."""
    own = {check.name for check in CHECKS[kind]}
    return own if kind == "weighters" else own - {"options_survive_json"}
