"""The checks of noises: what is ours passes, and each finds what it is for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbase.data.contract import Noise
from benchbase.data.noise import InstanceNoise, MatrixNoise, NoNoise, PairNoise, SymmetricNoise
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import check_plugin, parametrize_with_checks
from tests.conformance.finding import check_finds, each_of, names_of_checks

calls = itertools.count()


@parametrize_with_checks([SymmetricNoise, PairNoise, InstanceNoise, NoNoise])
def test_our_noises_keep_the_contract(noise, check) -> None:
    check(noise)


@dataclass(frozen=True)
class Flip(Noise):
    name = "flip"
    rate: float = 0.5

    def corrupt(self, part, num_classes, rng, shared) -> Any:
        wrong = rng.random(len(part)) < self.rate
        return np.where(wrong, (part.labels + 1) % num_classes, part.labels)

    def transition(self, num_classes):
        unmoved = np.eye(num_classes)
        return (1 - self.rate) * unmoved + self.rate * np.roll(unmoved, 1, 1)


class GivesFloats(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        return super().corrupt(part, num_classes, rng, shared) + 0.0


class NeedsAnImage(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        assert part.pixels.max() >= 0
        return super().corrupt(part, num_classes, rng, shared)


class DrawsElsewhere(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        moved = numpy_stream("flip", str(next(calls)))
        return super().corrupt(part, num_classes, moved, shared)


class Halves(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        return Flip(self.rate / 2).corrupt(part, num_classes, rng, shared)


BROKEN = [
    ("gives_a_label_for_each_image", GivesFloats, "corrupt gave float64"),
    ("gives_a_label_for_each_image", MatrixNoise, "needs a CSV file"),
    ("works_without_an_image", NeedsAnImage, "raised ValueError: zero-size"),
    ("gives_the_same_again", DrawsElsewhere, "same streams give different labels"),
    (
        "changes_as_many_labels_as_it_says",
        Halves,
        r"rate=0\.1\) makes .* where transition says 10\.0 %",
    ),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(Flip)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("noises")
