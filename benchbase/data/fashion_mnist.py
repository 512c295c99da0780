"""``fashion-mnist``: 70,000 clothes in 28 x 28 pixels (Xiao, Rasul, Vollgraf, arXiv 1708.07747).

Read by torchvision from IDX files, gzipped or not: below a data root, or where Debian's package
puts them.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.errors import DataError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FOLDERS = (".", "fashion-mnist", "FashionMNIST/raw")
# name -> dimensions, as the name says too
FILES = {
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
HOW_TO_GET = (
    "get it by `apt-get install dataset-fashion-mnist` (Debian, Ubuntu), or by `python -c "
    "\"from torchvision.datasets import FashionMNIST as F; F('data', download=True)\"` and "
    "`--data-root data`"
)
UNSIGNED_BYTE = 8


def find(folder: Path) -> list[Path | None]:
    """Give the four files of a folder, gzipped or plain; None for one that is not there."""
    return [
        next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
        for name in FILES
    ]


def unzip(source: Path, target: Path) -> None:
    """Copy an IDX file, unzipped where need be.

    Raises:
        DataError: the file is damaged, or its content is shorter or longer than its header says.
    """
    dimensions = FILES[target.name]
    damage = ""
    zipped = source.suffix == ".gz"
    try:
        with (
            gzip.open(source, "rb") if zipped else source.open("rb") as packed,
            target.open("wb") as plain,
        ):
            # By what is there (`read1`), so that all that can be unzipped is counted.
            while chunk := packed.read1(2**16):
                plain.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        damage = f" ({error})"
    with target.open("rb") as plain:
        header = plain.read(4 + 4 * dimensions)
    found = target.stat().st_size
    if len(header) < 4 + 4 * dimensions:
        raise DataError(
            f"{source} is truncated{damage}: expected at least {4 + 4 * dimensions} bytes of "
            f"header, found {found}; {HOW_TO_GET}"
        )
    magic, *shape = struct.unpack(f">{1 + dimensions}I", header)
    if magic != UNSIGNED_BYTE * 256 + dimensions or (dimensions == 3 and shape[1:] != [28, 28]):
        raise DataError(
            f"{source} is not what its name says: expected an IDX file of bytes in {dimensions} "
            f"dimensions (images 28 x 28), found magic number {magic} and shape {shape}; "
            f"{HOW_TO_GET}"
        )
    expected = len(header) + math.prod(shape)
    if found != expected or damage:
        raise DataError(
            f"{source} is damaged{damage}: expected {expected} bytes unzipped, found {found}; "
            f"{HOW_TO_GET}"
        )


@dataclass(frozen=True)
class FashionMNIST(DataSet):
    """Ten classes of clothes, 60,000 training and 10,000 test images of 28 x 28 pixels."""

    name: ClassVar[str] = "fashion-mnist"
    truth_known: ClassVar[bool] = True

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Find the first folder that holds all four files."""
        folders = [root / below for root in roots for below in FOLDERS]
        folders.append(DEBIAN)
        missing = []
        for folder in folders:
            found = find(folder)
            paths = [path for path in found if path is not None]
            if len(paths) == len(FILES):
                return paths
            first = next(name for name, path in zip(FILES, found, strict=True) if path is None)
            missing.append((len(paths), folder / f"{first}.gz"))
        # A folder that has some of the files is the one that was meant.
        _, path = max(missing, key=lambda entry: entry[0])
        raise DataError(
            f"fashion-mnist: {path} is missing; looked in "
            f"{', '.join(str(folder) for folder in folders)}; {HOW_TO_GET}"
        )

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Unzip the files into ``scratch`` and let torchvision read them."""
        paths = self.files(roots)
        raw = scratch / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for path, name in zip(paths, FILES, strict=True):
            unzip(path, raw / name)

        from torchvision.datasets import FashionMNIST as Reader

        def read(train: bool, images_file: Path, labels_file: Path) -> Part:
            reader = Reader(str(scratch), train=train)
            pixels = reader.data.numpy()[:, None]
            labels = reader.targets.numpy().astype(np.int64)
            if len(pixels) != len(labels):
                raise DataError(
                    f"{labels_file}: expected {len(pixels)} labels, one for each image of "
                    f"{images_file}, found {len(labels)}; {HOW_TO_GET}"
                )
            return Part(pixels, labels)

        return DataParts(
            classes=CLASSES,
            train=read(True, *paths[:2]),
            test=read(False, *paths[2:]),
        )
