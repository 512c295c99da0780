"""Kinds of class imbalance, against counts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.data.contract import Imbalance
from benchbase.data.imbalance import Exponential, Natural, Step
from benchbase.errors import UsageError


@pytest.mark.parametrize(
    ("imbalance", "available", "ratio", "expected"),
    [
        (Exponential(), [100, 100, 100], 1, [100, 100, 100]),
        (Exponential(), [100, 40, 70], 1, [40, 40, 40]),
        (Exponential(), [1000, 1000, 1000], 100, [1000, 100, 10]),
        # The last class has 5 images, so the first may have 50 and the one between 16.
        (Exponential(), [1000, 1000, 5], 10, [50, 16, 5]),
        (Exponential(), [80, 90], 4, [80, 20]),
        # Factor 0.5623 from class to class: the long tail of nine tissue classes in the literature.
        (Exponential(), [10407] * 9, 100, [10407, 5852, 3291, 1851, 1041, 585, 329, 185, 104]),
        (Step(), [100] * 4, 10, [100, 100, 10, 10]),
        (Step(), [100] * 5, 10, [100, 100, 100, 10, 10]),
        (Step(), [100, 100, 4], 10, [40, 40, 4]),
        (Step(), [30, 20, 10], 1, [10, 10, 10]),
        (Natural(), [30, 20, 10], 1, [30, 20, 10]),
    ],
)
def test_counts_are_those_worked_out_by_hand(
    imbalance: Imbalance, available: list[int], ratio: float, expected: list[int]
) -> None:
    assert imbalance.counts(np.array(available), ratio).tolist() == expected


@pytest.mark.parametrize("ratio", [1, 2, 10, 50, 100])
def test_no_more_images_are_asked_for_than_there_are(ratio: float) -> None:
    available = np.array([61, 997, 333, 58, 402, 13, 888])
    for imbalance in (Exponential(), Step()):
        counts = imbalance.counts(available, ratio)
        assert (counts <= available).all()
        # The largest that all can satisfy: one class gives everything it has.
        assert (counts == available).any()


def test_natural_imbalance_takes_no_ratio() -> None:
    with pytest.raises(UsageError, match="exponential:10 or step:10"):
        Natural().counts(np.array([3, 4]), 10)
