"""Images that look alike are counted; the same ones and flat ones are not."""

from __future__ import annotations

import numpy as np

from benchbase.data.own import duplicates
from benchbase.data.own.duplicates import near_duplicates

RNG = np.random.Generator(np.random.PCG64(0))


def smooth(count: int) -> np.ndarray:
    coarse = RNG.integers(0, 255, (count, 3, 4, 4), dtype=np.uint8)
    return coarse.repeat(8, axis=2).repeat(8, axis=3)


def test_a_slightly_brighter_copy_is_near_and_others_are_not():
    train, test = smooth(30), smooth(10)
    assert near_duplicates(train, test) == 0
    test[4] = np.clip(train[7].astype(int) + 3, 0, 255)
    test[5] = train[8]  # The same: counted elsewhere.
    assert near_duplicates(train, test) == 1


def test_flat_images_share_a_hash_and_are_no_duplicates_for_that():
    train = np.full((3, 1, 32, 32), 40, dtype=np.uint8)
    assert near_duplicates(train, np.full((2, 1, 32, 32), 45, dtype=np.uint8)) == 0


def test_too_many_pairs_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 10)
    assert near_duplicates(smooth(4), smooth(4)) is None
