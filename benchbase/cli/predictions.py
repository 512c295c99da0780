"""Writes the kept predictions of one cell as CSV: one line for each test image."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON
from benchbase.errors import StoreError, UsageError
from benchbase.files import replace_file


def write_predictions(record: JSON, home: Path, path: Path) -> int:
    """Write what the model of the last epoch says of each test image; give their number.

    Columns: row, label, predicted, and the probability of each class.

    Raises:
        UsageError: the cell kept no predictions, or not on this machine.
        StoreError: they are damaged, or ``path`` cannot be written.
    """
    logits, labels = _read(_find(record, home), record["artefacts"]["predictions"]["sha256"])
    classes = record["corruption"].get("classes") or [str(c) for c in range(logits.shape[1])]
    replace_file(path, _csv(logits, labels, classes))
    return len(labels)


def _find(record: JSON, home: Path) -> Path:
    artefact = record["artefacts"].get("predictions")
    if artefact is None:
        raise UsageError(
            f"cell {record['key'][:12]} kept no predictions: its status is {record['status']}"
        )
    if "file" not in artefact:
        raise UsageError(
            f"the predictions of cell {record['key'][:12]} are where it ran: git holds its record "
            "only; run it here to have them"
        )
    path = home / str(artefact["file"])
    if not path.is_file():
        raise UsageError(f"{path}: the predictions of this cell are not there any more")
    return path


def _read(path: Path, expected: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the logits of the last checkpoint, shape (images, classes), and the labels."""
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise StoreError(f"{path}: not the file that its record names; it was changed since")
        with np.load(path, allow_pickle=False) as arrays:
            last = int(np.argmax(arrays["checkpoints"]))
            logits = np.asarray(arrays["test_logits"][last], dtype=np.float64)
            return logits, np.asarray(arrays["test_labels"], dtype=np.int64)
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path}: cannot be read as predictions: {error!r}") from error


def _csv(logits: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]) -> str:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", "label", "predicted", *(f"probability {name}" for name in classes)])
    for row, (label, shares) in enumerate(zip(labels, probabilities, strict=True)):
        texts = [f"{share:.6f}" for share in shares]
        writer.writerow([row, classes[label], classes[int(shares.argmax())], *texts])
    return file.getvalue()
