"""The checks of a kind of label noise, on small random images, at several rates if it has one."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from benchbase.data.asking import ask_labels, ask_transition, ask_whether_identifiable
from benchbase.data.contract import Labels, Noise, Part
from benchbase.errors import ContractError
from benchbase.seeding import numpy_stream
from benchbase.testing.check import Check, enter
from benchbase.testing.checks.options import settings

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)
_settings = functools.partial(settings, option="rate", values=(0.0, 0.1, 0.3))
IMAGES = 1200


@_check(first=True)
def gives_a_label_for_each_image(noise: type[Noise]) -> None:
    """For two and for four classes."""
    for classes in (2, 4):
        for built in _settings(noise):
            ask_whether_identifiable(built, np.eye(classes))
            _observed(built, _part(classes), classes)


@_check()
def works_without_an_image(noise: type[Noise]) -> None:
    """A part may be empty, and a class absent."""
    some = _part(3, 60)
    for built in _settings(noise):
        _observed(built, _part(3, 0), 3)
        _observed(built, dataclasses.replace(some, labels=some.labels // 2 * 2), 3)


@_check()
def gives_the_same_again(noise: type[Noise]) -> None:
    """Labels are drawn from the streams that it is given, and from nothing else."""
    for built in _settings(noise):
        first, again = (_observed(built, _part(4), 4) for _ in range(2))
        if not (first == again).all():
            raise ContractError(
                "two calls with the same streams give different labels: draw from `rng` and "
                "`shared` alone, and keep nothing between two calls"
            )


@_check()
def changes_as_many_labels_as_it_says(noise: type[Noise]) -> None:
    """The share of wrong labels is that of ``transition``, up to chance."""
    part = _part(4)
    for built in _settings(noise):
        realised = float((_observed(built, part, 4) != part.labels).mean())
        transition = ask_transition(built, 4)
        if transition is None:
            return  # Nobody knows.
        kept = np.diag(transition)[part.labels]
        nominal = float(1 - kept.mean())
        allowed = 0.01 + 4 * np.sqrt(nominal * (1 - nominal) / IMAGES)
        if abs(realised - nominal) > allowed:
            raise ContractError(
                f"{built!r} makes {100 * realised:.1f} % of the labels wrong where transition says "
                f"{100 * nominal:.1f} %: is the rate used, and the diagonal what is kept?"
            )


def _part(classes: int, count: int = IMAGES) -> Part:
    rng = numpy_stream("check", "noise")
    pixels = rng.integers(0, 256, (count, 1, 6, 6), dtype=np.uint8)
    labels = rng.permutation(np.arange(count) % classes)
    return Part(pixels, labels, given=np.where(rng.random(count) < 0.1, 0, labels))


def _observed(noise: Noise, part: Part, classes: int) -> Labels:
    streams = {name: numpy_stream("check", name) for name in ("rng", "shared")}
    return ask_labels(noise, part.take(np.arange(len(part))), classes, **streams)
