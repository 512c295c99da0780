"""Cells of blood smears, cut around the points at which somebody labelled them.

The coordinate lists in the package say which cell is in which part: the prepared copies were cut by
them, and the same cells are cut from the public originals.
"""

from __future__ import annotations

import csv
import functools
import io
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchbase import Card, DataError, Invariances
from benchbase.data.own.listing import Listing, part_named
from benchbase.data.own.npz_file import NpzFile
from benchbase.data.own.reading import Picture
from benchbase_medical.named import Named, pictures

SIDE = 32
CELL = Invariances(flips="both", windows="centre", smallest_area=0.6, turns=180)
INVARIANT = (
    "a smear has no upright side, and the labelled cell lies in the middle; how large a cell is "
    "tells its class, so that windows stay near the whole image; stain and light differ from smear "
    "to smear"
)

Rows = list[dict[str, str]]


@functools.cache
def coordinates(name: str) -> Rows:
    """Read a coordinate list of the package."""
    content = Path(__file__).with_name(name).read_bytes()
    return [*csv.DictReader(io.StringIO(lzma.decompress(content).decode()))]


class Cutter:
    """Cuts squares out of large images, reflected at the border, each brought to 32 pixels."""

    def __init__(self, images: Sequence[Path], rows: Rows, reach: int) -> None:
        """Take the image, and the row with x and y of the centre, of each square."""
        self._images, self._rows, self._reach = images, rows, reach
        self._opened = functools.lru_cache(4)(self._open)

    def __call__(self, index: int) -> NDArray[np.uint8]:
        """Cut one square: ``reach`` pixels to the left and above, one fewer beyond the centre."""
        padded = self._opened(self._images[index])
        x, y = int(self._rows[index]["x"]), int(self._rows[index]["y"])
        square = padded[y : y + 2 * self._reach, x : x + 2 * self._reach]
        shape = (2 * self._reach, 2 * self._reach, 3)
        if square.shape != shape:
            raise DataError(
                f"{self._images[index]}: expected an image of 640 x 480, found no pixel at {x}, {y}"
            )
        small = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BOX)
        return np.asarray(small)

    def _open(self, path: Path) -> NDArray[np.uint8]:
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise DataError(f"{path}: not an image that can be read ({error})") from error
        reach = self._reach
        return np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")


def _prepared(path: Path, rows: Rows) -> Callable[[int], Picture]:
    """Give each cell from the prepared copy, which is read when the first is asked for."""

    @functools.cache
    def listed() -> Listing:
        listing = NpzFile(path=str(path)).listing()
        if listing.labels != tuple(row["class"] for row in rows):
            raise DataError(
                f"{path}: holds other cells than the coordinate list: expected {len(rows):,}, with "
                f"its classes in its order, found {len(listing.labels):,}"
            )
        return listing

    return lambda index: listed().picture(index)


RED_CELLS = (
    "normal cell",
    "macrocyte",
    "microcyte",
    "spherocyte",
    "target cell",
    "stomatocyte",
    "ovalocyte",
    "teardrop",
    "burr cell",
    "schistocyte",
    "uncategorised",
    "hypochromia",
    "elliptocyte",
)

RED_CELL_COUNTS = (
    ("normal cell", 6330),
    ("spherocyte", 3449),
    ("target cell", 2753),
    ("ovalocyte", 2140),
    ("stomatocyte", 1996),
    ("hypochromia", 1063),
    ("elliptocyte", 1052),
    ("schistocyte", 897),
    ("burr cell", 785),
    ("macrocyte", 689),
    ("microcyte", 461),
    ("teardrop", 307),
    ("uncategorised", 184),
)


@dataclass(frozen=True)
class ChulaRbc12(Named):
    """Thirteen shapes of red blood cells with a long tail, 22,106 cells of 621 smear images."""

    name: ClassVar[str] = "chula-rbc12"
    folders: ClassVar[tuple[str, ...]] = ("rbc12", "Chula-RBC-12-Dataset")
    invariances: ClassVar[Invariances] = CELL
    card: ClassVar[Card | None] = Card(
        source="Chula RBC-12, Chulalongkorn University; github.com/Chula-PIC-Lab/"
        "Chula-RBC-12-Dataset at fa130f48",
        licence="MIT",
        citation="Naruenatthanaset, Chalidabhongse, Palasuwan, Anantrasirichai, Palasuwan: Red "
        "Blood Cell Segmentation with Overlapping Cell Separation and Classification from an "
        "Imbalanced Dataset. arXiv:2012.01321",
        get="`git clone https://github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset`, and "
        "`git checkout fa130f48` in there; --data-root names that folder or its parent",
        classes=RED_CELL_COUNTS,
        size="80 x 80 pixels around each labelled point of JPEG images of 640 x 480, averaged to "
        "32 x 32, colour",
        groups="590: smear images, of which 31 pairs show one field; the parts share none",
        problems=(
            "labels of the 856 cells that were labelled twice agree on 84.9 %",
            "all elliptocytes are of a later batch of images, with which they are confounded",
        ),
        invariant=INVARIANT,
        fingerprint="91ca7664b7787e2d2bc428545aab27921da4d7c45787ae6c017a28e1d7e4eed2",
        examples_shown=True,
        predictions_shown=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the prepared copy, or cut the cells from the original images."""
        rows = coordinates("chula_rbc12.csv.xz")
        prepared, originals = folder / "rbc12_32.npz", folder / "Dataset"
        if prepared.is_file():
            files = [prepared]
            picture: Callable[[int], Picture] = _prepared(prepared, rows)
        elif originals.is_dir():
            smears = [row["smear"] for row in rows]
            found = dict(zip(smears, pictures(self.name, [originals], smears), strict=True))
            files = sorted(found.values())
            picture = Cutter([found[smear] for smear in smears], rows, 40)
        else:
            return None
        return Listing(
            where=self.name,
            names=tuple(f"{row['part']}/{row['smear']}/{place}" for place, row in enumerate(rows)),
            labels=tuple(RED_CELLS[int(row["class"])] for row in rows),
            picture=picture,
            files=tuple(files),
            groups=tuple(row["group"] for row in rows),
            parts=tuple(part_named(row["part"], self.name) for row in rows),
        )


WINDOW_COUNTS = (
    ("RBC", 4127),
    ("background", 1163),
    ("WBC", 228),
    ("Platelets", 187),
)


@dataclass(frozen=True)
class TxlPbc(Named):
    """Blood cells under two versions of their labels, 5,705 windows of 221 smear images."""

    name: ClassVar[str] = "txl-pbc"
    folders: ClassVar[tuple[str, ...]] = ("smear_relabel", "BCCD_Dataset")
    invariances: ClassVar[Invariances] = CELL
    card: ClassVar[Card | None] = Card(
        source="BCCD, github.com/Shenggan/BCCD_Dataset at d272fb14 (images, first labels), and its "
        "re-annotation TXL-PBC, github.com/lugan113/TXL-PBC_Dataset at 056d09e4 (true labels)",
        licence="MIT (both)",
        citation="Gan, Li: TXL-PBC: a freely accessible labeled peripheral blood cell dataset. "
        "arXiv:2407.13214",
        get="`git clone https://github.com/Shenggan/BCCD_Dataset`, and `git checkout d272fb14` in "
        "there; --data-root names that folder or its parent",
        classes=WINDOW_COUNTS,
        size="96 x 96 pixels around a box of TXL-PBC, or around a place without one, in JPEG "
        "images of 640 x 480, averaged to 32 x 32, colour",
        groups="221 smear images",
        problems=(
            "the first labels leave out 42 % of red cells, 19 % of platelets, 3 % of white cells",
            "of images that TXL-PBC holds twice, its own labels agree on 95.5 %",
        ),
        invariant=INVARIANT,
        fingerprint="9b1aa24e904d335908cd28494e8d46267c6869d250edd30bed0988f517a95f8f",
        examples_shown=True,
        predictions_shown=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the prepared copy, or cut the windows from the original images of BCCD."""
        rows = coordinates("txl_pbc.csv.xz")
        originals = [folder / "BCCD" / "JPEGImages", folder / "JPEGImages"]
        held = [one for one in originals if one.is_dir()]
        if (folder / "labels.csv").is_file() and (folder / "images").is_dir():
            stems = [Path(row["path"]).stem for row in rows]
            windows = pictures(self.name, [folder / "images"], stems)
            files = windows
            picture: Callable[[int], Picture] = windows.__getitem__
        elif held:
            smears = [row["smear"] for row in rows]
            found = dict(zip(smears, pictures(self.name, held, smears), strict=True))
            files = sorted(found.values())
            picture = Cutter([found[smear] for smear in smears], rows, 48)
        else:
            return None
        return Listing(
            where=self.name,
            names=tuple(row["path"] for row in rows),
            labels=tuple(row["label_v1"] for row in rows),
            truths=tuple(row["label_v2"] for row in rows),
            picture=picture,
            files=tuple(files),
            groups=tuple(row["smear"] for row in rows),
        )
