from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from benchbase.judging.extra import LONGEST_REASON, Extra
from benchbase.judging.metrics import Metric, Undefined

LOGITS = np.array([[0, 1], [2, 0], [0, 3]], dtype=np.float16)
LABELS = np.array([1, 0, 0])


class Luck(Metric):
    name = "luck"

    def __init__(self, play=lambda logits, labels: 0.5) -> None:
        self.play = play

    def score(self, logits, labels):
        return self.play(logits, labels)


def leave(logits, labels):
    sys.exit("enough")


def raise_in_place(logits, labels):
    logits -= logits.max()


def relabel(logits, labels):
    labels[...] = 1


FAILURES = {
    "raised ZeroDivisionError: division by zero": lambda logits, labels: 1 / 0,
    "raised SystemExit: enough": leave,
    "raised ValueError: output array is read-only": raise_in_place,
    "raised ValueError: assignment destination is read-only": relabel,
    "gave str, expected a number": lambda logits, labels: "0.5",
    "gave NoneType, expected a number": lambda logits, labels: None,
    "gave ndarray, expected a number": lambda logits, labels: labels,
    "gave bool, expected a number": lambda logits, labels: True,
    "gave nan": lambda logits, labels: float("nan"),
    "gave inf": lambda logits, labels: np.float32("inf"),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_what_a_metric_does_wrong_costs_its_own_value_only(reason):
    logits, labels = LOGITS.copy(), LABELS.copy()
    found = Extra.of(Luck(FAILURES[reason]), "").score(logits, labels)
    assert found == Undefined(f"the metric luck {reason}")
    assert np.array_equal(logits, LOGITS)
    assert np.array_equal(labels, LABELS)


def test_a_reason_is_no_novel():
    def tell(logits, labels):
        raise ValueError("x" * 10_000)

    assert len(Extra.of(Luck(tell), "").score(LOGITS, LABELS).reason) == LONGEST_REASON


@pytest.mark.parametrize("value", [1, 0.25, np.float32(0.5), np.int64(3)])
def test_any_number_is_a_score(value):
    found = Extra.of(Luck(lambda logits, labels: value), "").score(LOGITS, LABELS)
    assert type(found) is float
    assert found == value


def test_a_metric_is_given_single_precision():
    size = Extra.of(Luck(lambda logits, labels: logits.itemsize), "").score(LOGITS, LABELS)
    assert size == 4


@dataclass(frozen=True)
class Share(Metric):
    share: float = 0.5
    name = "share"
    version = "2"

    def score(self, logits, labels):
        return self.share


def test_values_carry_the_declared_version_or_the_code_and_the_options():
    assert Extra.of(Luck(), "abcdef0123456789").version == "code abcdef012345"
    assert Extra.of(Share(), "abc").version == '2 {"share":0.5}'
    assert Extra.of(Share(0.9), "abc").version != Extra.of(Share(), "abc").version
