"""``digits``: scikit-learn's handwritten digits, up-sampled from 8 to 32 pixels."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchbase.cell import Invariances
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.errors import DataError
from benchbase.seeding import numpy_stream

TEST_IMAGES = 400
LARGEST = 16
"""Pixels of the source are whole numbers from 0 to this."""


@dataclass(frozen=True)
class Digits(DataSet):
    """Ten handwritten digits, 1,397 training and 400 test images of 32 x 32 pixels."""

    name: ClassVar[str] = "digits"
    invariances: ClassVar[Invariances] = Invariances(flips="none")
    truth_known: ClassVar[bool] = True

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name the table that ships with scikit-learn."""
        # Found without an import, which takes seconds.
        found = importlib.util.find_spec("sklearn")
        if found is None or found.origin is None:
            raise DataError("digits: scikit-learn is missing: pip install scikit-learn")
        return [Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Repeat each pixel four times a side; the test images are drawn with data seed 0."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / LARGEST)).astype(np.uint8)
        pixels = pixels.repeat(4, axis=1).repeat(4, axis=2)[:, None]
        labels = bunch.target.astype(np.int64)
        order = numpy_stream(0, "digits", "test").permutation(len(labels))
        whole = Part(pixels, labels)
        return DataParts(
            classes=tuple(str(digit) for digit in range(10)),
            train=whole.take(order[TEST_IMAGES:]),
            test=whole.take(order[:TEST_IMAGES]),
        )
