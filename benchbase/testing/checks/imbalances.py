"""The checks of a kind of class imbalance, at several ratios if it has one."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchbase.data.asking import ask_counts
from benchbase.data.contract import Imbalance
from benchbase.errors import ContractError
from benchbase.testing.check import Check, enter
from benchbase.testing.checks.options import settings

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)
_settings = functools.partial(settings, option="ratio", values=(1.0, 2.0, 7.5))
AVAILABLE = tuple(np.array(counts) for counts in ([100, 100, 100], [61, 997, 333, 58], [40, 9]))


@_check(first=True)
def keeps_possible_counts(imbalance: type[Imbalance]) -> None:
    """Whole numbers from 0 to what there is."""
    for built, available in _cases(imbalance):
        ask_counts(built, available)


@_check()
def leaves_images_of_every_class(imbalance: type[Imbalance]) -> None:
    """A class without an image ends the run: mild ratios leave one at least."""
    for built, available in _cases(imbalance):
        counts = ask_counts(built, available)
        if not counts.all():
            raise ContractError(
                f"of {available.tolist()} images {built!r} keeps {counts.tolist()}: round up, or "
                "keep at least one"
            )


@_check()
def gives_the_same_again(imbalance: type[Imbalance]) -> None:
    """Counts depend on what there is and on the options alone."""
    for built, available in _cases(imbalance):
        if not np.array_equal(ask_counts(built, available), ask_counts(built, available)):
            raise ContractError(f"two calls of {built!r} with the same counts give two answers")


def _cases(imbalance: type[Imbalance]) -> Iterator[tuple[Imbalance, NDArray[np.int64]]]:
    for built in _settings(imbalance):
        for available in AVAILABLE:
            yield built, available
