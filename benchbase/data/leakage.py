"""The leakage check: images and groups that stand on both sides of a split."""

from __future__ import annotations

import hashlib

import numpy as np

from benchbase.data.contract import DataParts, Part


def image_hashes(part: Part | None) -> list[bytes]:
    """Hash each image's pixels."""
    if part is None:
        return []
    return [
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        for image in part.pixels
    ]


def count_leaks(parts: DataParts) -> dict[str, int]:
    """Count images of one part that another holds too, pixel by pixel, and shared groups.

    ``train_repeated`` counts images beyond the first of their kind within train, from which
    validation and trusted images may be drawn. Recorded, not refused: blank patches repeat.
    """
    train, validation, trusted, test = (
        image_hashes(part) for part in (parts.train, parts.validation, parts.trusted, parts.test)
    )
    in_train, in_test = set(train), set(test)
    leaks = {
        "train_in_test": sum(image in in_test for image in train),
        "validation_in_test": sum(image in in_test for image in validation),
        "trusted_in_test": sum(image in in_test for image in trusted),
        "validation_in_train": sum(image in in_train for image in validation),
        "trusted_in_train": sum(image in in_train for image in trusted),
        "train_repeated": len(train) - len(in_train),
    }
    if parts.groups is not None and parts.test_groups is not None:
        leaks["train_in_groups_of_test"] = int(np.isin(parts.groups, parts.test_groups).sum())
    return leaks
