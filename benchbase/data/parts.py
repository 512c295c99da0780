"""Whether what a data set gives fits together."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchbase.data.contract import DataParts, Part
from benchbase.errors import ContractError, DataError

PARTS = ("train", "test", "validation", "trusted")
GROUPS = ("groups", "test_groups")
WIDEST_COLOUR = 4
"""Channels of an image that somebody took with a camera."""


def check_parts(name: str, parts: Any) -> None:
    """Refuse a data set whose arrays do not fit together.

    Raises:
        ContractError: it is made of other things than arrays.
        DataError: says which part, what was expected and what came.
    """
    if not isinstance(parts, DataParts):
        raise ContractError(
            f"data set {name}: load gave {type(parts).__name__}, expected DataParts(classes=..., "
            "train=Part(pixels, labels), test=Part(pixels, labels)): does it end with `return`?"
        )
    classes: Any = parts.classes
    if not isinstance(classes, tuple) or not all(isinstance(one, str) for one in classes):
        raise ContractError(
            f"data set {name}: classes are {classes!r:.100}, expected a tuple of names, such as "
            '("benign", "malignant")'
        )
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise DataError(f"data set {name}: expected two or more classes, got {classes}")
    for part_name in PARTS:
        part: Any = getattr(parts, part_name)
        if part is not None or part_name in ("train", "test"):
            _check_part(f"data set {name}, part {part_name}", part, parts.train, len(classes))
    if parts.validation and (parts.validation.given is None) != (parts.train.given is None):
        raise DataError(
            f"data set {name}: one of train and validation has labels as given beside those that "
            "count as right: give both of them, or neither"
        )
    verified: Any = parts.verified
    if verified is not None and parts.trusted is not None:
        raise DataError(
            f"data set {name}: gives a trusted part and verified training images: give one of them"
        )
    if verified is not None and (
        not isinstance(verified, np.ndarray)
        or verified.shape != parts.train.labels.shape
        or verified.dtype != np.bool_
    ):
        raise DataError(
            f"data set {name}: verified: expected True or False for each of {len(parts.train)} "
            "training images, as a NumPy array"
        )
    for group_name, part in (("groups", parts.train), ("test_groups", parts.test)):
        groups = getattr(parts, group_name)
        if groups is None:
            continue
        _check_array(f"data set {name}: {group_name}", groups)
        if groups.shape != part.labels.shape or groups.dtype.kind not in "iu":
            raise DataError(
                f"data set {name}: expected {len(part)} {group_name}, a whole number an image, "
                f"found {groups.dtype} of shape {groups.shape}: np.unique(names, "
                "return_inverse=True)[1] numbers names"
            )


def _check_part(where: str, part: Any, train: Any, num_classes: int) -> None:
    if not isinstance(part, Part):
        raise ContractError(f"{where}: expected Part(pixels, labels), got {type(part).__name__}")
    labels = {"label": part.labels} | ({} if part.given is None else {"given label": part.given})
    for array_name, array in {"pixel": part.pixels, **labels}.items():
        _check_array(f"{where}: {array_name}s", array)
    _check_pixels(where, part.pixels)
    shape = train.pixels.shape[1:]
    if part.pixels.shape[1:] != shape:
        raise DataError(
            f"{where}: expected uint8 pixels (count, {', '.join(map(str, shape))}), as in "
            f"train, found {part.pixels.dtype} {part.pixels.shape}"
        )
    for label_name, array in labels.items():
        _check_labels(where, label_name, array, len(part.pixels), num_classes)


def _check_array(what: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise ContractError(
            f"{what} are {type(array).__name__}, expected a NumPy array: np.asarray(...) makes one"
        )


def _check_pixels(where: str, pixels: Any) -> None:
    expected = "uint8 pixels of shape (count, channels, height, width)"
    found = f"found {pixels.dtype} of shape {pixels.shape}"
    cure = ""
    if pixels.ndim == 3:
        cure = ": images in grey have one channel, which `pixels[:, None]` adds"
    elif pixels.ndim == 4 and pixels.shape[3] <= WIDEST_COLOUR < min(pixels.shape[1:3]):
        cure = (
            ": the channels stand last, `np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))` "
            "puts them where they belong"
        )
    elif pixels.dtype != np.uint8:
        cure = ": give whole numbers from 0 to 255, `.astype(np.uint8)`"
    if cure or pixels.ndim != 4 or not all(pixels.shape[1:]):
        raise DataError(f"{where}: expected {expected}, {found}{cure}")


def _check_labels(where: str, what: str, labels: Any, count: int, num_classes: int) -> None:
    if labels.shape != (count,) or labels.dtype.kind not in "iu" or not count:
        raise DataError(
            f"{where}: expected one integer {what} for each of {count} images (at "
            f"least one), found {labels.dtype} of shape {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise DataError(
            f"{where}: expected {what}s from 0 to {num_classes - 1}, found {labels.min()} to "
            f"{labels.max()}"
        )
