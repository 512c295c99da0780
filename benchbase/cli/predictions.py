"""Writes the kept predictions of one cell as CSV: one line for each test image."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbase.files import replace_file
from benchbase.judging.metrics import probabilities
from benchbase.records.predictions import read_predictions
from benchbase.records.record import Record


def write_predictions(record: Record, home: Path, path: Path) -> int:
    """Write what the model of the last epoch says of each test image; give their number.

    Columns: row, label, predicted, and the probability of each class.

    Raises:
        UsageError: the cell kept no predictions, or not on this machine.
        StoreError: they are damaged, or ``path`` cannot be written.
    """
    kept = read_predictions(record, home)
    logits, labels = kept.test_logits[-1], kept.test_labels
    classes = record.corruption.classes if record.corruption else []
    replace_file(path, _csv(logits, labels, classes))
    return len(labels)


def _csv(logits: NDArray[np.float16], labels: NDArray[np.int64], classes: Sequence[str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", "label", "predicted", *(f"probability {name}" for name in classes)])
    for row, (label, shares) in enumerate(zip(labels, probabilities(logits), strict=True)):
        texts = [f"{share:.6f}" for share in shares]
        writer.writerow([row, classes[label], classes[int(shares.argmax())], *texts])
    return file.getvalue()
