"""The checks of a metric, on random predictions."""

from __future__ import annotations

import functools

import numpy as np

from benchbase.errors import ContractError
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import Logits, Metric, Undefined
from benchbase.seeding import numpy_stream
from benchbase.testing.check import Check, enter

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)


@_check(first=True)
def gives_a_finite_number(metric: type[Metric]) -> None:
    """For ordinary predictions of three classes, which cannot be written to."""
    _scored(metric, *_predictions(3))


@_check()
def works_with_two_and_with_many_classes(metric: type[Metric]) -> None:
    """Two classes have two logits; a board may have twenty."""
    for classes in (2, 20):
        _scored(metric, *_predictions(classes))


@_check()
def gives_the_same_again(metric: type[Metric]) -> None:
    """A score is a function of the predictions."""
    logits, labels = _predictions(3)
    if _scored(metric, logits, labels) != _scored(metric, logits, labels):
        raise ContractError("scoring the same predictions twice gives two values")


@_check()
def does_not_depend_on_the_order_of_images(metric: type[Metric]) -> None:
    """Test images have no order."""
    logits, labels = _predictions(3)
    there, back = (_scored(metric, logits[::step], labels[::step]) for step in (1, -1))
    if not np.isclose(there, back, rtol=1e-5, atol=1e-7):
        raise ContractError(f"the same predictions in reverse order score {back}, not {there}")


def _predictions(classes: int) -> tuple[Logits, np.ndarray]:
    rng = numpy_stream("check", "metric")
    labels = rng.permutation(np.arange(120) % classes)
    logits = rng.normal(size=(120, classes)) + 1.5 * np.eye(classes)[labels]
    return logits.astype(np.float32), labels


def _scored(metric: type[Metric], logits: Logits, labels: np.ndarray) -> float:
    value = Extra.of(metric(), "check").score(logits, labels)
    if isinstance(value, Undefined):
        raise ContractError(
            f"{value.reason}, for predictions of {logits.shape[1]} classes: expected a finite "
            "number of arrays that cannot be written to (`logits = logits.copy()` makes one)"
        )
    assert isinstance(value, float)
    return value
