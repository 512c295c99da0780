"""The checks of imbalances: what is ours passes, and each finds what it is for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbase.data.contract import Imbalance
from benchbase.data.imbalance import Exponential, Natural, Step
from benchbase.testing.conformance import check_plugin, parametrize_with_checks
from tests.conformance.finding import check_finds, each_of, names_of_checks

calls = itertools.count()


@parametrize_with_checks([Natural, Exponential, Step])
def test_our_imbalances_keep_the_contract(imbalance, check) -> None:
    check(imbalance)


@dataclass(frozen=True)
class Scarce(Imbalance):
    name = "scarce"
    ratio: float = 3.0

    def counts(self, available) -> Any:
        return np.maximum(1, (available / self.ratio).astype(np.int64))


class GivesShares(Scarce):
    def counts(self, available):
        return available / self.ratio


class LosesAClass(Scarce):
    def counts(self, available):
        return available // (1 if self.ratio < 7 else 10)


class Wavers(Scarce):
    def counts(self, available):
        return np.minimum(available, 1 + next(calls) % 2)


BROKEN = [
    ("keeps_possible_counts", GivesShares, "counts gave float64"),
    ("leaves_images_of_every_class", LosesAClass, r"LosesAClass\(ratio=7\.5\) keeps \[4, 0\]"),
    ("gives_the_same_again", Wavers, "give two answers"),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(Scarce)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("imbalances")
