"""The kept predictions of a cell: logits in half precision of every checkpoint that a rule used."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbase.errors import StoreError, UsageError
from benchbase.records.home import Home
from benchbase.records.record import Record


@dataclass(frozen=True)
class Predictions:
    """What the scores of a cell are computed from."""

    checkpoints: tuple[int, ...]
    """Rising; the last one is the cell's last."""
    test_logits: NDArray[np.float16]
    """Shape (checkpoints, images, classes)."""
    test_labels: NDArray[np.int64]
    validation_logits: NDArray[np.float16]
    validation_labels: NDArray[np.int64]
    """As observed."""
    validation_true: NDArray[np.int64]


def read_predictions(record: Record, home: Path) -> Predictions:
    """Read what a cell kept.

    Raises:
        UsageError: it kept none, or not on this machine.
        StoreError: they are damaged.
    """
    path = _find(record, home)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != record.artefacts["predictions"].sha256:
            raise StoreError(f"{path}: not the file that its record names; it was changed since")
        with np.load(path, allow_pickle=False) as arrays:
            return Predictions(
                checkpoints=tuple(arrays["checkpoints"].tolist()),
                test_logits=np.asarray(arrays["test_logits"], dtype=np.float16),
                test_labels=np.asarray(arrays["test_labels"], dtype=np.int64),
                validation_logits=np.asarray(arrays["validation_logits"], dtype=np.float16),
                validation_labels=np.asarray(arrays["validation_labels"], dtype=np.int64),
                validation_true=np.asarray(arrays["validation_true"], dtype=np.int64),
            )
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path}: cannot be read as predictions: {error!r}") from error


def _find(record: Record, home: Path) -> Path:
    if "predictions" not in record.artefacts:
        raise UsageError(
            f"cell {record.key[:12]} kept no predictions: its status is {record.status}"
        )
    path = Home(home).predictions(record.key, record.attempt)
    if not path.is_file():
        raise UsageError(
            f"{path}: the predictions of this cell are not there; they stay where it ran"
        )
    return path
