"""The leakage check: images and groups that stand on both sides of a split."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from benchbase.data.contract import DataParts, Part

LEAKS: Mapping[str, str] = {
    "train_in_test": "training images that are in test too",
    "train_in_groups_of_test": "training images of groups that are in test too",
    "validation_in_test": "validation images that are in test too",
    "trusted_in_test": "trusted images that are in test too",
    "validation_in_train": "validation images that are in train too",
    "trusted_in_train": "trusted images that are in train too",
}
"""Each kind of leak -> how it is told."""

Pairs = list[tuple[int, int]]
"""Row of the part that leaks, and the first row of the other part that is the same."""


def image_hashes(part: Part | None) -> list[bytes]:
    """Hash each image's pixels."""
    if part is None:
        return []
    return [
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        for image in part.pixels
    ]


def find_leaks(parts: DataParts) -> dict[str, Pairs]:
    """Find images of one part that another holds too, pixel by pixel, and shared groups."""
    train, validation, trusted, test = (
        image_hashes(part) for part in (parts.train, parts.validation, parts.trusted, parts.test)
    )
    leaks = {
        "train_in_test": _shared(train, test),
        "validation_in_test": _shared(validation, test),
        "trusted_in_test": _shared(trusted, test),
        "validation_in_train": _shared(validation, train),
        "trusted_in_train": _shared(trusted, train),
    }
    if parts.groups is not None and parts.test_groups is not None:
        leaks["train_in_groups_of_test"] = _shared(
            parts.groups.tolist(), parts.test_groups.tolist()
        )
    return leaks


def count_leaks(parts: DataParts) -> dict[str, int]:
    """Count the images of each kind of leak, and those that repeat within train.

    ``train_repeated`` counts images beyond the first of their kind, from which validation and
    trusted images may be drawn. Recorded, not told as a leak: blank patches repeat.
    """
    counts = {kind: len(pairs) for kind, pairs in find_leaks(parts).items()}
    return {**counts, "train_repeated": len(parts.train) - len(set(image_hashes(parts.train)))}


def _shared(mine: Sequence[Hashable], others: Sequence[Hashable]) -> Pairs:
    first: dict[Hashable, int] = {}
    for row, other in enumerate(others):
        first.setdefault(other, row)
    return [(row, first[one]) for row, one in enumerate(mine) if one in first]
