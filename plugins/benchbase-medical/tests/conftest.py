"""Small files in the formats in which data sets are published, and the real ones where they are."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchbase import DataParts, DataSet
from benchbase.seeding import numpy_stream

Load = Callable[[DataSet, Path], DataParts]


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets: ``BENCHBASE_DATA``, or ``shared/data`` beside the checkout."""
    beside = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("BENCHBASE_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real data sets: BENCHBASE_DATA names no folder")
    return folder


@pytest.fixture
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Decode a data set below a root."""

    def decoded(dataset: DataSet, root: Path) -> DataParts:
        return dataset.load([root], tmp_path_factory.mktemp("scratch"))

    return decoded


@pytest.fixture
def write_images() -> Callable[..., None]:
    """Write an image of noise for each name, another for each."""

    def write(folder: Path, names: Iterable[str], shape: Sequence[int] = (12, 16, 3)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            pixels = numpy_stream(0, "picture", name).integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name)

    return write


@pytest.fixture
def write_table() -> Callable[..., None]:
    """Write a table as CSV, or with another delimiter."""

    def write(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)

    return write
