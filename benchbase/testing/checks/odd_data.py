"""The checks of a weighter on data that are out of the ordinary, though every board has some."""

from __future__ import annotations

import functools

from benchbase.api import Need, Weighter
from benchbase.testing.check import Check, enter
from benchbase.testing.toy import toy_problem
from benchbase.testing.watching import train

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)


@_check()
def works_with_two_classes(weighter: type[Weighter]) -> None:
    """Binary tasks have two logits as well."""
    train(weighter(), toy_problem(needs=weighter.needs, num_classes=2))


@_check()
def works_with_one_channel(weighter: type[Weighter]) -> None:
    """Grey images have one channel."""
    train(weighter(), toy_problem(needs=weighter.needs, channels=1))


@_check()
def works_with_a_class_that_is_absent(weighter: type[Weighter]) -> None:
    """A rare class may have no training image."""
    train(weighter(), toy_problem(needs=weighter.needs, absent=1, noise=0.0))


@_check()
def works_with_a_last_batch_of_one(weighter: type[Weighter]) -> None:
    """33 images in batches of 16."""
    train(weighter(), toy_problem(needs=weighter.needs, per_class=11))


@_check()
def works_with_a_long_tail(weighter: type[Weighter]) -> None:
    """Classes of 40, 6 and 1 images."""
    train(weighter(), toy_problem(needs=weighter.needs, per_class=40, imbalance=40.0, noise=0.0))


@_check(Need.UNLABELLED)
def works_without_unlabelled_images(weighter: type[Weighter]) -> None:
    """Most scenarios grant an empty set."""
    train(weighter(), toy_problem(needs=weighter.needs, unlabelled=False))


@_check(Need.ORACLE)
def works_without_a_budget(weighter: type[Weighter]) -> None:
    """Most scenarios sell no label: ask for no more than task.oracle.remaining."""
    train(weighter(), toy_problem(needs=weighter.needs, label_budget=0))


@_check(Need.NOISE_RATE)
def works_where_nobody_knows_the_noise_rate(weighter: type[Weighter]) -> None:
    """With labels as given, task.noise_rate is None."""
    train(weighter(), toy_problem(needs=weighter.needs, noise_rate_known=False))
