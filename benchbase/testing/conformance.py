"""Tells whether a weighter keeps the contract.

In a plugin's own test file::

from benchbase.testing.conformance import parametrize_with_checks

@parametrize_with_checks([MyMethod])
def test_my_method_keeps_the_contract(weighter, check):
    check(weighter)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchbase.api import Weighter
from benchbase.errors import ContractError
from benchbase.plugins.kinds import check_class
from benchbase.testing.check import Check
from benchbase.testing.checks import CHECKS

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Outcome:
    """What one check came to."""

    check: Check
    error: Exception | None
    """None where it passed."""


def checks_for(weighter: type[Weighter]) -> Iterator[Check]:
    """Give the checks that a weighter must pass: all but those for needs that it does not have."""
    for check in CHECKS:
        if check.need is None or check.need in weighter.needs:
            yield check


def run_checks(weighter: type[Weighter]) -> Iterator[Outcome]:
    """Run the checks one by one; an exception is an outcome."""
    for check in checks_for(weighter):
        try:
            check(weighter)
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            yield Outcome(check, error)
        else:
            yield Outcome(check, None)


def check_weighter(weighter: type[Weighter]) -> None:
    """Run every check.

    Raises:
        PluginError: the class states something that the contract rules out.
        ContractError: a check failed; the message lists all that did.
    """
    check_class("weighters", weighter)
    failed = [outcome for outcome in run_checks(weighter) if outcome.error is not None]
    if failed:
        lines = [
            f"  {outcome.check.name}: {type(outcome.error).__name__}: {outcome.error}"
            for outcome in failed
        ]
        raise ContractError("\n".join([f"{weighter.name} fails {len(failed)} checks:", *lines]))


def parametrize_with_checks(weighters: Sequence[type[Weighter]]) -> pytest.MarkDecorator:
    """Decorate a test function of ``weighter`` and ``check`` to run once for each pair."""
    import pytest

    return pytest.mark.parametrize(
        ("weighter", "check"),
        [
            pytest.param(weighter, check, id=f"{weighter.name}-{check.name}")
            for weighter in weighters
            for check in checks_for(weighter)
        ],
    )
