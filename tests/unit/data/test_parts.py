"""Whether what a data set gives fits together, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchbase.data.contract import DataParts, Part
from benchbase.data.parts import check_parts
from benchbase.errors import DataError


def parts() -> DataParts:
    """Give eight training and four test images of two classes."""
    pixels, labels = np.zeros((12, 1, 2, 2), dtype=np.uint8), np.arange(12) % 2
    return DataParts(
        classes=("x", "y"),
        train=Part(pixels[:8], labels[:8]),
        test=Part(pixels[8:], labels[8:]),
    )


def test_arrays_that_fit_together_pass() -> None:
    check_parts("counted", parts())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"labels": np.array([0, 1, 2, 0])},
            "expected labels from 0 to 1, found 0 to 2",
        ),
        ({"labels": np.array([0, 1])}, "expected one integer label for each of 4 images"),
        ({"labels": np.array([0.0, 1, 0, 1])}, "expected one integer label .* float64"),
        ({"pixels": np.zeros((4, 1, 2, 2))}, "expected uint8 pixels .* float64"),
        (
            {"pixels": np.zeros((4, 1, 3, 2), dtype=np.uint8)},
            r"expected uint8 pixels \(count, 1, 2, 2\), as in train",
        ),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    change: dict[str, Any], complaint: str
) -> None:
    wrong = parts()
    # Past the type checks of the test run, which users do not have.
    for name, array in change.items():
        object.__setattr__(wrong.test, name, array)
    with pytest.raises(DataError, match=f"data set counted, part test: {complaint}"):
        check_parts("counted", wrong)
