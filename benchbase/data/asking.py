"""Asks the plugins of the data side: the one place where each is called, and its answer checked.

Whatever they raise or give wrongly becomes an error that names the plugin, what was expected and
what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import (
    DataParts,
    DataSet,
    Imbalance,
    Labels,
    Noise,
    Part,
    true_class_leads,
)
from benchbase.data.parts import check_parts
from benchbase.errors import ContractError, blamed_on

Counts = NDArray[np.int64]


def ask_files(plugin: DataSet | Noise, *roots: Sequence[Path]) -> list[Path]:
    """Ask which files a data set (below ``roots``) or a noise reads.

    Raises:
        PluginError, DataError: it cannot say, or gives something else than paths.
    """
    thing = "data set" if isinstance(plugin, DataSet) else "noise"
    with blamed_on(thing, plugin):
        files: Any = plugin.files(*roots)
    if not isinstance(files, list | tuple) or not all(isinstance(one, Path) for one in files):
        raise ContractError(
            f"{thing} {plugin.name!r}: files gave {files!r:.100}, expected a list of pathlib.Path"
        )
    return [*files]


def ask_parts(dataset: DataSet, roots: Sequence[Path], scratch: Path) -> DataParts:
    """Decode a data set.

    Raises:
        PluginError, DataError: it cannot be decoded, or its arrays do not fit together.
    """
    with blamed_on("data set", dataset):
        parts = dataset.load(roots, scratch)
    check_parts(dataset.name, parts)
    return parts


def ask_transition(noise: Noise, num_classes: int) -> NDArray[np.float64] | None:
    """Ask for the nominal P(observed | true), None where nobody knows it.

    Raises:
        UsageError: the noise does not exist for these classes, or an option must be set.
        PluginError: it fails, or gives no such matrix.
    """
    with blamed_on("noise", noise):
        matrix: Any = noise.transition(num_classes)
    if matrix is None:
        return None
    expected = (num_classes, num_classes)
    if not isinstance(matrix, np.ndarray) or matrix.shape != expected or matrix.dtype.kind != "f":
        raise ContractError(
            f"noise {noise.name!r}: transition gave {_kind_of(matrix)}, expected floats of shape "
            f"{expected}: a row a true class, a column an observed one"
        )
    sums = matrix.sum(axis=1)
    if not (matrix >= 0).all() or not np.allclose(sums, 1, atol=1e-6):
        raise ContractError(
            f"noise {noise.name!r}: transition gave rows with sums from {sums.min():g} to "
            f"{sums.max():g} and a minimum of {matrix.min():g}, expected probabilities: at least "
            "0, each row summing to 1"
        )
    nominal: NDArray[np.float64] = matrix
    return nominal


def ask_whether_identifiable(noise: Noise, realised: NDArray[np.float64]) -> bool:
    """Ask whether the true class stays the most likely observed one.

    Where nobody knows P(observed | true), what was ``realised`` of it says so.

    Raises:
        PluginError: it fails.
    """
    if ask_transition(noise, len(realised)) is None:
        return true_class_leads(realised)
    with blamed_on("noise", noise):
        return bool(noise.is_identifiable(len(realised)))


def ask_labels(
    noise: Noise,
    part: Part,
    num_classes: int,
    *,
    rng: np.random.Generator,
    shared: np.random.Generator,
) -> Labels:
    """Ask for the observed labels of ``part``, which the noise may do with as it likes.

    Raises:
        PluginError: it fails, or gives something else than a class index for each image.
    """
    count = len(part)
    with blamed_on("noise", noise):
        seen: Any = noise.corrupt(part, num_classes, rng, shared)
    expected = f"one class index for each of {count} images, from 0 to {num_classes - 1}"
    if not isinstance(seen, np.ndarray) or seen.shape != (count,) or seen.dtype.kind not in "iu":
        raise ContractError(
            f"noise {noise.name!r}: corrupt gave {_kind_of(seen)}, expected {expected}: integers "
            f"of shape ({count},)"
        )
    if count and not 0 <= seen.min() <= seen.max() < num_classes:
        raise ContractError(
            f"noise {noise.name!r}: corrupt gave labels from {seen.min()} to {seen.max()}, "
            f"expected {expected}"
        )
    return seen.astype(np.int64)


def ask_counts(imbalance: Imbalance, available: Counts) -> Counts:
    """Ask how many images of each class to keep.

    Raises:
        UsageError: an option must be set.
        PluginError: it fails, or gives something else than a possible number for each class.
    """
    with blamed_on("imbalance", imbalance):
        counts: Any = imbalance.counts(available.copy())
    if (
        not isinstance(counts, np.ndarray)
        or counts.shape != available.shape
        or counts.dtype.kind not in "iu"
    ):
        raise ContractError(
            f"imbalance {imbalance.name!r}: counts gave {_kind_of(counts)}, expected whole numbers "
            f"of shape {available.shape}, one a class: round, then `.astype(np.int64)`"
        )
    if (counts < 0).any() or (counts > available).any():
        raise ContractError(
            f"imbalance {imbalance.name!r}: counts gave {counts.tolist()} where the classes have "
            f"{available.tolist()} images, expected from 0 to as many: np.minimum(counts, "
            "available) cuts them"
        )
    return counts.astype(np.int64)


def _kind_of(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__
