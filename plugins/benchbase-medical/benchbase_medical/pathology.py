"""Patches of histological slides: PatchCamelyon, and colorectal tissue (NCT-CRC-HE)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase import Card, DataError, Invariances, SourceFile
from benchbase.data.own.listing import Listing, part_named
from benchbase.data.own.lookup import files_below, is_image
from benchbase_medical.named import NamedImages

TISSUE_CLASSES = ("ADI", "BACK", "DEB", "LYM", "MUC", "MUS", "NORM", "STR", "TUM")
TISSUE_PARTS = {"NCT-CRC-HE-100K": "train", "CRC-VAL-HE-7K": "test"}
TISSUE_COUNTS = (11745, 11413, 11851, 12191, 9931, 14128, 9504, 10867, 15550)


@dataclass(frozen=True)
class NctCrcHe(NamedImages):
    """Nine kinds of colorectal tissue, 100,000 patches to train on, 7,180 of others to judge by.

    With ``--imbalance 1:100`` it is the long tail of VoG-active, from the first class to the last.
    """

    name: ClassVar[str] = "nct-crc-he"
    folders: ClassVar[tuple[str, ...]] = ("NCT-CRC-HE",)
    invariances: ClassVar[Invariances] = Invariances(
        flips="both", windows="anywhere", smallest_area=0.5, turns=180
    )
    card: ClassVar[Card | None] = Card(
        source="NCT-CRC-HE-100K and CRC-VAL-HE-7K, National Center for Tumor Diseases, Heidelberg; "
        "zenodo.org/records/1214456",
        licence="CC BY 4.0",
        citation="Kather et al.: Predicting survival from colorectal cancer histology slides using "
        "deep learning: A retrospective multicenter study. PLOS Medicine, 2019",
        get="the unpacked archives NCT-CRC-HE-100K.zip and CRC-VAL-HE-7K.zip "
        "(zenodo.org/records/1214456) go into one folder, which --data-root names, or which is "
        "called nct-crc-he below it",
        classes=tuple(zip(TISSUE_CLASSES, TISSUE_COUNTS, strict=True)),
        size="TIFF, 224 x 224 pixels at 0.5 micrometres a pixel, colour, normalised stain",
        groups="86 patients to train on, 50 others to judge by; which patch is of which patient "
        "is not published",
        problems=(
            "the patient of a patch is not known, so that one may be in training and validation",
            "normalisation and JPEG artefacts differ between classes (arXiv:2409.11546)",
        ),
        invariant="tissue has no upright side, and all of a patch is of one kind",
        files=(
            SourceFile(
                "NCT-CRC-HE-100K.zip",
                "https://zenodo.org/records/1214456/files/NCT-CRC-HE-100K.zip?download=1",
                "md5:6fd702d11df6292bc054397ae038a464",
            ),
            SourceFile(
                "CRC-VAL-HE-7K.zip",
                "https://zenodo.org/records/1214456/files/CRC-VAL-HE-7K.zip?download=1",
                "md5:2fd1651b4f94ebd818ebf90ad2b6ce06",
            ),
        ),
        examples_shown=True,
        predictions_shown=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read classes and parts off the folders."""
        parts = [part for part in TISSUE_PARTS if (folder / part).is_dir()]
        if not parts:
            return None
        if len(parts) < len(TISSUE_PARTS):
            lost = next(part for part in TISSUE_PARTS if part not in parts)
            raise DataError(f"{self.name}: no folder {lost} in {folder}, but {parts[0]}: unpack it")
        names = [
            f"{part}/{name}"
            for part in parts
            for name in files_below(folder / part)
            if is_image(name) and name.partition("/")[0] in TISSUE_CLASSES
        ]
        images = [folder / name for name in names]
        return Listing(
            where=self.name,
            names=tuple(names),
            labels=tuple(name.split("/")[1] for name in names),
            picture=images.__getitem__,
            files=tuple(images),
            parts=tuple(TISSUE_PARTS[name.partition("/")[0]] for name in names),
            order=TISSUE_CLASSES,
        )


PCAM = "camelyonpatch_level_2_split_{}_{}.h5"
PCAM_PARTS = ("train", "valid", "test")
PCAM_CLASSES = ("no tumour", "tumour")
PCAM_HASHES = {
    "train_x": "1571f514728f59376b705fc836ff4b63",
    "train_y": "35c2d7259d906cfc8143347bb8e05be7",
    "valid_x": "d5b63470df7cfa627aeec8b9dc0c066e",
    "valid_y": "2b85f58b927af9964a4c15b8f7e8f179",
    "test_x": "d8c2d60d490dbd479f8199bdfa0cf6ec",
    "test_y": "60a7035772fbdb7f34eb86d4420cf66a",
}
"""Of the gzipped files, as torchvision and Zenodo have them."""
PCAM_SHAPE = (96, 96, 3)
_BLOCK = 512


@dataclass(frozen=True)
class Pcam(NamedImages):
    """Tumour or none in the middle of 327,680 patches of lymph nodes."""

    name: ClassVar[str] = "pcam"
    folders: ClassVar[tuple[str, ...]] = ("PCAM", "pcamv1")
    invariances: ClassVar[Invariances] = Invariances(
        flips="both", windows="centre", smallest_area=0.6, turns=180
    )
    card: ClassVar[Card | None] = Card(
        source="PatchCamelyon, from the Camelyon16 challenge; github.com/basveeling/pcam, "
        "zenodo.org/records/2546921",
        licence="CC0",
        citation="Veeling, Linmans, Winkens, Cohen, Welling: Rotation Equivariant CNNs for Digital "
        "Pathology. arXiv:1806.03962; Ehteshami Bejnordi et al.: Diagnostic Assessment of Deep "
        "Learning Algorithms for Detection of Lymph Node Metastases in Women With Breast Cancer. "
        "JAMA 318(22), 2199-2210, 2017",
        get="the six unpacked files camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5 "
        "(zenodo.org/records/2546921; or torchvision.datasets.PCAM(root, download=True)) go into "
        "one folder, which --data-root names, or which is called pcam below it",
        size="HDF5, 96 x 96 pixels, colour",
        groups="slides, of which the parts share none; within a part they are not read",
        problems=("the makers' README and torchvision swap the checksums of validation and test",),
        invariant="tissue has no upright side, and the label is that of the middle 32 x 32 pixels",
        files=tuple(
            SourceFile(f"{PCAM.format(*key.split('_'))}.gz", checksum=f"md5:{digest}")
            for key, digest in PCAM_HASHES.items()
        ),
        examples_shown=True,
        predictions_shown=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the labels; patches are read when they are asked for."""
        paths = {
            (part, kind): folder / PCAM.format(part, kind) for part in PCAM_PARTS for kind in "xy"
        }
        there = [path for path in paths.values() if path.is_file()]
        if not there:
            return None
        if len(there) < len(paths):
            lost = next(path for path in paths.values() if path not in there)
            raise DataError(f"{self.name}: no {lost.name} in {folder}: unpack all six files there")
        given = {part: read_h5(paths[part, "y"], "y").reshape(-1) for part in PCAM_PARTS}
        readers = {part: _patches(paths[part, "x"], len(given[part])) for part in PCAM_PARTS}
        rows = [(part, row) for part in PCAM_PARTS for row in range(len(given[part]))]
        return Listing(
            where=self.name,
            names=tuple(f"{part}/{row}" for part, row in rows),
            labels=tuple(PCAM_CLASSES[int(given[part][row] > 0)] for part, row in rows),
            picture=lambda index: readers[rows[index][0]](rows[index][1]),
            files=tuple(paths.values()),
            parts=tuple(part_named(part, self.name) for part, _ in rows),
        )


def _patches(path: Path, count: int) -> Callable[[int], NDArray[np.uint8]]:
    """Give a reader of single patches, which reads some hundred at a time."""

    @functools.lru_cache(2)
    def block(start: int) -> NDArray[Any]:
        patches = read_h5(path, "x", slice(start, start + _BLOCK))
        expected = (min(_BLOCK, count - start), *PCAM_SHAPE)
        if patches.shape != expected or patches.dtype != np.uint8:
            raise DataError(
                f"{path}: expected {count:,} patches of {PCAM_SHAPE}, uint8, found {patches.shape} "
                f"of {patches.dtype} from {start:,} on"
            )
        return patches

    return lambda row: block(row - row % _BLOCK)[row % _BLOCK]


def read_h5(path: Path, name: str, rows: slice = slice(None)) -> NDArray[Any]:
    """Read rows of an array in an HDF5 file.

    Raises:
        DataError: h5py is missing, or the file does not hold the array.
    """
    try:
        import h5py
    except ImportError:
        raise DataError(f"{path}: reading it needs h5py: pip install h5py") from None
    try:
        with h5py.File(path) as file:
            return np.asarray(file[name][rows])
    except (OSError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is no HDF5 file with an array {name!r} ({error})") from error
