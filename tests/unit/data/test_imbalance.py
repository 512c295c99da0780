"""Kinds of class imbalance, against counts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.data.contract import Imbalance
from benchbase.data.imbalance import Exponential, Natural, Step
from benchbase.errors import UsageError
from benchbase.options import construct


@pytest.mark.parametrize(
    ("imbalance", "available", "expected"),
    [
        (Exponential(1), [100, 100, 100], [100, 100, 100]),
        (Exponential(1), [100, 40, 70], [40, 40, 40]),
        (Exponential(100), [1000, 1000, 1000], [1000, 100, 10]),
        # The last class has 5 images, so the first may have 50 and the one between 16.
        (Exponential(10), [1000, 1000, 5], [50, 16, 5]),
        (Exponential(4), [80, 90], [80, 20]),
        # Factor 0.5623 from class to class: the long tail of nine tissue classes in the literature.
        (Exponential(100), [10407] * 9, [10407, 5852, 3291, 1851, 1041, 585, 329, 185, 104]),
        (Step(10), [100] * 4, [100, 100, 10, 10]),
        (Step(10), [100] * 5, [100, 100, 100, 10, 10]),
        (Step(10), [100, 100, 4], [40, 40, 4]),
        (Step(1), [30, 20, 10], [10, 10, 10]),
        (Natural(), [30, 20, 10], [30, 20, 10]),
    ],
)
def test_counts_are_those_worked_out_by_hand(
    imbalance: Imbalance, available: list[int], expected: list[int]
) -> None:
    assert imbalance.counts(np.array(available)).tolist() == expected


@pytest.mark.parametrize("ratio", [1, 2, 10, 50, 100])
def test_no_more_images_are_asked_for_than_there_are(ratio: float) -> None:
    available = np.array([61, 997, 333, 58, 402, 13, 888])
    for imbalance in (Exponential(ratio), Step(ratio)):
        counts = imbalance.counts(available)
        assert (counts <= available).all()
        # The largest that all can satisfy: one class gives everything it has.
        assert (counts == available).any()


def test_an_imbalance_that_exists_at_any_ratio_must_be_told_which() -> None:
    for kind in (Exponential, Step):
        with pytest.raises(UsageError, match=f"{kind.name}' needs a ratio: write {kind.name}:10"):
            kind().counts(np.array([3, 4]))
        with pytest.raises(UsageError, match="option ratio: expected float of at least 1, or none"):
            construct(kind, {"ratio": 0.5})
    with pytest.raises(UsageError, match="unknown option 'ratio'"):
        construct(Natural, {"ratio": 10})
