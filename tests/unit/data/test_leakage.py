"""Images and groups on both sides of a split are found and counted."""

from __future__ import annotations

import numpy as np

from benchbase.data.contract import DataParts, Part
from benchbase.data.leakage import LEAKS, count_leaks, find_leaks


def part(*shades: int) -> Part:
    """Give one image a shade, all of class 0."""
    pixels = np.stack([np.full((1, 2, 2), shade, dtype=np.uint8) for shade in shades])
    return Part(pixels, np.zeros(len(shades), dtype=np.int64))


def make(**parts) -> DataParts:
    values = {"classes": ("a",), "train": part(1, 2, 3), "test": part(8, 9)}
    return DataParts(**{**values, **parts})


def test_a_clean_split_leaks_nothing():
    assert not any(count_leaks(make()).values())


def test_each_image_that_leaks_is_paired_with_its_first_like():
    leaks = find_leaks(make(train=part(1, 9, 8, 9), test=part(9, 9, 8)))
    assert leaks["train_in_test"] == [(1, 0), (2, 2), (3, 0)]


def test_parts_that_a_data_set_brings_are_compared_with_each_other():
    counts = count_leaks(make(validation=part(1, 8), trusted=part(2, 9)))
    assert {kind: count for kind, count in counts.items() if count} == {
        "validation_in_test": 1,
        "validation_in_train": 1,
        "trusted_in_test": 1,
        "trusted_in_train": 1,
    }


def test_an_image_that_repeats_within_train_is_counted_apart():
    counts = count_leaks(make(train=part(1, 1, 1, 2)))
    assert counts["train_repeated"] == 2
    assert "train_repeated" not in LEAKS


def test_groups_leak_where_their_images_do_not():
    groups, others = np.array([0, 1, 1]), np.array([1, 2])
    leaks = find_leaks(make(groups=groups, test_groups=others))
    assert leaks["train_in_groups_of_test"] == [(1, 0), (2, 0)]
    assert not leaks["train_in_test"]
