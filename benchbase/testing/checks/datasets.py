"""The checks of a data set, on its own files: their folders are the second argument."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchbase.data.asking import ask_files, ask_parts
from benchbase.data.contract import DataParts, DataSet
from benchbase.data.hashes import array_hash
from benchbase.data.leakage import count_leaks
from benchbase.data.parts import GROUPS, PARTS
from benchbase.errors import ContractError
from benchbase.testing.check import Check, enter

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)


@_check(first=True)
def finds_its_files(dataset: type[DataSet], roots: Sequence[Path] = ()) -> None:
    """What ``files`` names is there; nothing, where data are made."""
    for path in ask_files(dataset(), roots):
        if not path.is_file():
            raise ContractError(
                f"files names {path}, which is no file: raise a DataError that says where it was "
                "looked for and how to get it"
            )


@_check(first=True)
def gives_images_and_labels_that_fit(dataset: type[DataSet], roots: Sequence[Path] = ()) -> None:
    """Pixels, labels, class names and groups have the types and shapes of the contract."""
    _loaded(dataset, roots)


@_check()
def gives_the_same_again(dataset: type[DataSet], roots: Sequence[Path] = ()) -> None:
    """Loading twice gives the same, also after somebody wrote over what came first."""
    first = _arrays(_loaded(dataset, roots))
    before = {name: array_hash(array) for name, array in first.items()}
    for array in first.values():
        if array.flags.writeable:
            array[...] = 0
    after = {name: array_hash(array) for name, array in _arrays(_loaded(dataset, roots)).items()}
    if before != after:
        changed = ", ".join(sorted(name for name in before if before[name] != after.get(name)))
        raise ContractError(
            f"loading twice gives different arrays ({changed}): draw with a fixed seed, sort what "
            "a folder lists, and share no array between two calls"
        )


@_check()
def has_images_of_every_class(dataset: type[DataSet], roots: Sequence[Path] = ()) -> None:
    """Each class that is named can be learned and judged."""
    parts = _loaded(dataset, roots)
    for name in ("train", "test"):
        counts = np.bincount(getattr(parts, name).labels, minlength=len(parts.classes))
        lacking = [parts.classes[label] for label in np.flatnonzero(counts == 0)]
        if lacking:
            raise ContractError(
                f"part {name} has no image of {', '.join(lacking)}: leave the class out of "
                "`classes`, or split class by class"
            )


@_check()
def keeps_its_test_images_apart(dataset: type[DataSet], roots: Sequence[Path] = ()) -> None:
    """No test image, or image of a group of theirs, is among the others."""
    leaks = count_leaks(_loaded(dataset, roots))
    found = [f"{count} {name.replace('_', ' ')}" for name, count in leaks.items() if count]
    if any("test" in name for name, count in leaks.items() if count):
        raise ContractError(
            f"images are on both sides ({', '.join(found)}): a run tells it, and --strict refuses "
            "such a data set"
        )


def _loaded(dataset: type[DataSet], roots: Sequence[Path]) -> DataParts:
    with tempfile.TemporaryDirectory() as scratch:
        return ask_parts(dataset(), roots, Path(scratch))


def _arrays(parts: DataParts) -> dict[str, np.ndarray]:
    held = {name: getattr(parts, name) for name in (*PARTS, *GROUPS)}
    return {
        **{f"{name} pixels": held[name].pixels for name in PARTS if held[name] is not None},
        **{f"{name} labels": held[name].labels for name in PARTS if held[name] is not None},
        **{
            f"{name} labels as given": held[name].given
            for name in PARTS
            if held[name] is not None and held[name].given is not None
        },
        **{name: held[name] for name in GROUPS if held[name] is not None},
    }
