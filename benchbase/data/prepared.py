"""What lies prepared in a cache, for people to read; opens no pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class PreparedSet:
    """A decoded data set in the cache."""

    name: str
    """The data set and its options; empty where an older version prepared it."""
    images: int
    shape: tuple[int, ...]
    """Channels, height, width."""
    size: int
    """In bytes."""
    folder: Path


def prepared_sets(cache: Path) -> Iterator[PreparedSet]:
    """Find what is prepared; what is damaged is passed over, as ``prepare`` would."""
    for manifest in sorted((cache / "data").glob("*/manifest.json")):
        folder = manifest.parent
        try:
            said = json.loads(manifest.read_text(encoding="utf-8"))
            names = [name for name in said["arrays"] if name.endswith("_pixels")]
            arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]
            yield PreparedSet(
                name=said.get("data_set", ""),
                images=sum(map(len, arrays)),
                shape=arrays[0].shape[1:],
                size=sum(path.stat().st_size for path in folder.iterdir()),
                folder=folder,
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError):
            continue
