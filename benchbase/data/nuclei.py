"""``nuclei``: patches of an annotated fluorescence field, shipped in the package.

2018 Data Science Bowl, Broad Bioimage Benchmark Collection BBBC038v1 (Caicedo et al., Nature
Methods 16, 1247-1253, 2019; CC0), as in the two-dimensional test image of the StarDist project
(BSD-3-Clause).
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchbase.cell import Invariances
from benchbase.data.card import Card
from benchbase.data.contract import DataParts, DataSet, Labels, Part
from benchbase.errors import DataError
from benchbase.seeding import numpy_stream

FIELD = Path(__file__).with_name("nuclei.npz")
PATCH = 32
CLASSES = ("background", "boundary", "interior")
SHAPE = (512, 512)
# name -> first and last column of a patch's centre, and patches. Patches reach 16 columns to the
# left and 15 to the right, so that no pixel is shared between parts.
COLUMNS = {
    "train": (0, 223, 2000),
    "trusted": (256, 287, 90),
    "validation": (320, 383, 500),
    "test": (416, 511, 1000),
}


def pixel_classes(mask: NDArray[np.integer]) -> Labels:
    """Class of each pixel: on a boundary its 5 x 5 neighbourhood holds several mask values."""
    windows = sliding_window_view(np.pad(mask, 2, mode="reflect"), (5, 5))
    boundary = windows.min(axis=(2, 3)) != windows.max(axis=(2, 3))
    return np.where(boundary, 1, np.where(mask > 0, 2, 0)).astype(np.int64)


@dataclass(frozen=True)
class Nuclei(DataSet):
    """Background, boundary or interior: the class of a 32 x 32 patch's centre pixel."""

    name: ClassVar[str] = "nuclei"
    # The class is that of the centre pixel, so a window must keep it there; a cell has no upright
    # position, and its brightness says nothing of the place in it.
    invariances: ClassVar[Invariances] = Invariances(
        flips="both", windows="centre", smallest_area=0.5, turns=180
    )
    truth_known: ClassVar[bool] = True
    card: ClassVar[Card | None] = Card(
        source="BBBC038v1 of the Broad Bioimage Benchmark Collection (2018 Data Science Bowl), as "
        "the StarDist project ships it",
        licence="CC0 1.0",
        citation="Caicedo et al.: Nucleus segmentation across imaging experiments: the 2018 Data "
        "Science Bowl. Nature Methods 16, 1247-1253 (2019)",
        get="it comes with benchbase",
        size="32 x 32 pixels of one fluorescence image of 512 x 512, grey",
        problems=("all patches are of one field of view",),
        examples_shown=True,
        predictions_shown=True,
    )

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name the field that ships in the package."""
        if not FIELD.is_file():
            raise DataError(f"{FIELD} is missing from the installation: install benchbase again")
        return [FIELD]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Cut the patches, class-balanced, with data seed 0."""
        [path] = self.files(roots)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as field:
                image, mask = field["image"], field["mask"]
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is damaged ({error}): install benchbase again") from error
        if image.shape != SHAPE or mask.shape != SHAPE:
            raise DataError(
                f"{path}: expected an image and a mask of {SHAPE}, found {image.shape} and "
                f"{mask.shape}: install benchbase again"
            )
        reach = PATCH // 2
        patches = sliding_window_view(np.pad(image, reach, mode="reflect"), (PATCH, PATCH))
        classes = pixel_classes(mask)

        def cut(name: str) -> Part:
            first, last, total = COLUMNS[name]
            rng = numpy_stream(0, "nuclei", name)
            chosen = [
                rng.choice(
                    np.flatnonzero(classes[:, first : last + 1] == label),
                    total // 3 + (label < total % 3),
                    replace=False,
                )
                for label in range(3)
            ]
            # Shuffled, so that a row's place does not give its class away.
            rows, columns = np.divmod(rng.permutation(np.concatenate(chosen)), last + 1 - first)
            columns = columns + first
            return Part(patches[rows, columns][:, None].copy(), classes[rows, columns])

        return DataParts(
            classes=CLASSES,
            train=cut("train"),
            test=cut("test"),
            validation=cut("validation"),
            trusted=cut("trusted"),
        )
