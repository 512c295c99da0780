"""Says what was read of one's own images: counts, classes, the shape that a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchbase.data.cache import SPLIT_FILE, prepare
from benchbase.data.contract import DataSet
from benchbase.data.hashes import text_hash


def describe(name: str, dataset: DataSet, roots: Sequence[Path], cache: Path) -> str:
    """Write a few lines about a data set, which is prepared first where it is not yet."""
    prepared = prepare(dataset, roots, cache)
    parts = prepared.parts
    channels, height, width = parts.train.pixels.shape[1:]
    seen = f"{channels} x {height} x {width} (channels, height, width)"
    training, test = len(parts.train), len(parts.test)
    validation = 0 if parts.validation is None else len(parts.validation)
    labels = [part.labels for part in (parts.train, parts.test, parts.validation) if part]
    counts = np.bincount(np.concatenate(labels), minlength=len(parts.classes))
    named = zip(parts.classes, counts.tolist(), strict=True)
    classes = ", ".join(f"{each} {count:,}" for each, count in named)
    held = f"{validation:,}" if validation else "drawn from it"
    lines = [
        f"{name}: {training + test + validation:,} images; the network sees {seen}",
        f"{len(counts)} classes: {classes}; chance level {1 / len(counts):.1%}",
        f"training {training:,}, validation {held}, test {test:,}",
        f"split: {prepared.folder / SPLIT_FILE} (SHA-256 {text_hash(parts.split_file)[:12]})",
        *parts.notes,
        *(f"left out: {fault}" for fault in parts.skipped),
    ]
    return "\n  ".join(lines)
