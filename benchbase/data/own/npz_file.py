"""``npz:PATH``: arrays as MedMNIST's files hold them, or images, labels, truth, groups, split."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase.data.own import LARGEST, SMALLEST
from benchbase.data.own.columns import is_pattern
from benchbase.data.own.images import OwnImages
from benchbase.data.own.listing import Listing, part_named
from benchbase.errors import DataError
from benchbase.options import option

MEDMNIST = ("train", "val", "test")
LAYOUTS = (
    "expected train_images, train_labels, test_images, test_labels and perhaps val_images, "
    "val_labels, as MedMNIST has them, or images, labels and perhaps truth, groups, split"
)


@dataclass(frozen=True)
class NpzFile(OwnImages):
    """Your images as arrays (npz:FILE): MedMNIST's layout, or images, labels, groups, split.

    An array ``truth`` holds labels that count as true and judge; methods see the others.
    """

    size: int | None = option(
        None, "Pixels a side; none leaves images as they are.", min=SMALLEST, max=LARGEST
    )

    name: ClassVar[str] = "npz"

    @classmethod
    def has_truth(cls, options: Mapping[str, Any]) -> bool:
        """Look for an array of that name."""
        try:
            with zipfile.ZipFile(Path(options["path"]).expanduser()) as arrays:
                return {"images.npy", "truth.npy"} <= {*arrays.namelist()}
        except (OSError, zipfile.BadZipFile):
            return False  # What is wrong is said where the file is read.

    def listing(self) -> Listing:
        """Read the arrays."""
        path = self.target
        where = f"npz:{self.path}"
        if self.group and not is_pattern(self.group):
            raise DataError(f"{where}: group={self.group}: groups are the array called groups")
        arrays = _read(path, where)
        if "images" in arrays:
            return self._own(arrays, where, path)
        return self._medmnist(arrays, where, path)

    def _own(self, arrays: dict[str, NDArray[Any]], where: str, path: Path) -> Listing:
        images = arrays["images"]
        if "labels" not in arrays:
            raise DataError(f"{where}: holds images and no labels; {LAYOUTS}")
        _check_images(f"{where}, images", images)
        labels = _labels(f"{where}, labels", arrays["labels"], len(images))
        truths, groups, parts = None, None, None
        if "truth" in arrays:
            truths = _labels(f"{where}, truth", arrays["truth"], len(images))
        if "groups" in arrays:
            cells = _column(f"{where}, groups", arrays["groups"], len(images))
            # An image without a group stands alone, as in a table.
            unknown = ("", "nan")
            groups = tuple(f"alone {i}" if it in unknown else it for i, it in enumerate(cells))
        if "split" in arrays:
            cells = _column(f"{where}, split", arrays["split"], len(images))
            parts = tuple(part_named(it, f"{where}, split {i}") for i, it in enumerate(cells))
        return Listing(
            where=where,
            names=tuple(f"images/{row}" for row in range(len(images))),
            labels=labels,
            truths=truths,
            picture=lambda index: images[index],
            files=(path,),
            groups=groups,
            parts=parts,
        )

    def _medmnist(self, arrays: dict[str, NDArray[Any]], where: str, path: Path) -> Listing:
        present = [part for part in MEDMNIST if f"{part}_images" in arrays]
        for part in present or ["train"]:
            for kind in ("images", "labels"):
                if f"{part}_{kind}" not in arrays:
                    raise DataError(
                        f"{where}: holds no {part}_{kind}, but {', '.join(sorted(arrays))}; "
                        f"{LAYOUTS}"
                    )
        names: list[str] = []
        labels: list[str] = []
        pictures: list[NDArray[Any]] = []
        for part in present:
            images = arrays[f"{part}_images"]
            _check_images(f"{where}, {part}_images", images)
            given = arrays[f"{part}_labels"]
            labels += _labels(f"{where}, {part}_labels", given, len(images))
            names += [f"{part}/{row}" for row in range(len(images))]
            pictures += list(images)
        return Listing(
            where=where,
            names=tuple(names),
            labels=tuple(labels),
            picture=lambda index: pictures[index],
            files=(path,),
            parts=tuple(part_named(name.partition("/")[0], where) for name in names),
        )


def _read(path: Path, where: str) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, for NumPy leaves a damaged file open.
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                raise DataError(f"{where}: is a single array; {LAYOUTS}")
            return {name: found[name] for name in found.files}
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise DataError(
                f"{where}: is no npz file, or holds Python objects, which could run code when "
                "they are read: save plain arrays (numbers or texts of a fixed type)"
            ) from None
        raise DataError(f"{where}: is no npz file ({error})") from error
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{where}: is no npz file ({error})") from error


def _check_images(where: str, images: NDArray[Any]) -> None:
    if images.dtype != np.uint8:
        raise DataError(f"{where}: expected uint8 from 0 to 255, found {images.dtype}")
    if images.ndim not in (3, 4) or not images.size:
        raise DataError(
            f"{where}: expected (count, height, width) or (count, height, width, channels), found "
            f"{images.shape}"
        )
    if images.ndim == 4 and images.shape[1] <= 4 < images.shape[3]:
        raise DataError(
            f"{where}: expected the channels last, found {images.shape}: save "
            "images.transpose(0, 2, 3, 1)"
        )


def _labels(where: str, labels: NDArray[Any], count: int) -> tuple[str, ...]:
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise DataError(
            f"{where}: holds {labels.shape[1]} labels an image; images of several classes are not "
            "for benchbase"
        )
    return tuple(_column(where, labels, count))


def _column(where: str, values: NDArray[Any], count: int) -> list[str]:
    flat = values.reshape(-1) if values.ndim == 2 and values.shape[1:] == (1,) else values
    if flat.shape != (count,):
        raise DataError(f"{where}: expected one for each of {count} images, found {values.shape}")
    if flat.dtype.kind == "f" and (flat == np.rint(flat)).all():
        flat = flat.astype(np.int64)
    if flat.dtype.kind == "S":
        flat = np.char.decode(flat, "utf-8", "backslashreplace")
    return [str(it) for it in flat.tolist()]
