"""The checks of metrics: each finds what it is for."""

from __future__ import annotations

import itertools
from typing import Any

from benchbase.judging.metrics import Metric
from benchbase.testing.conformance import check_plugin
from tests.conformance.finding import check_finds, each_of, names_of_checks

calls = itertools.count()


class Share(Metric):
    name = "share"

    def score(self, logits, labels) -> Any:
        return float((logits.argmax(1) == labels).mean())


class WritesOver(Share):
    def score(self, logits, labels):
        logits -= logits.mean()
        return super().score(logits, labels)


class WantsTwo(Share):
    def score(self, logits, labels):
        return float(logits[:, [0, 1, 2]].mean())


class Counts(Share):
    def score(self, logits, labels):
        return float(next(calls))


class FirstImage(Share):
    def score(self, logits, labels):
        return float(logits[0, 0])


BROKEN = [
    ("gives_a_finite_number", WritesOver, r"read-only.*logits\.copy\(\)"),
    ("works_with_two_and_with_many_classes", WantsTwo, "predictions of 2 classes"),
    ("gives_the_same_again", Counts, "gives two values"),
    ("does_not_depend_on_the_order_of_images", FirstImage, "in reverse order score"),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(Share)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("metrics")
