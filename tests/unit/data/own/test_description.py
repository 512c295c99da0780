"""What is said of images of one's own before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchbase.data.own.description import describe
from benchbase.data.own.npz_file import NpzFile


def test_counts_classes_chance_and_the_split_are_said(tmp_path):
    arrays: dict[str, Any] = {}
    for part, count in (("train", 1200), ("val", 1000), ("test", 4)):
        pixels = np.arange(count * 4, dtype=np.uint32).view(np.uint8)
        arrays[f"{part}_images"] = pixels.reshape(count, 4, 4)
        arrays[f"{part}_labels"] = np.arange(count) % 4
    np.savez(tmp_path / "set.npz", **arrays)
    text = describe("npz:set.npz", NpzFile(path=str(tmp_path / "set.npz")), (), tmp_path / "cache")
    first, classes, parts, split = text.splitlines()
    assert (
        first == "npz:set.npz: 2,204 images; the network sees 1 x 4 x 4 (channels, height, width)"
    )
    assert classes.strip() == "4 classes: 0 551, 1 551, 2 551, 3 551; chance level 25.0%"
    assert parts.strip() == "training 1,200, validation 1,000, test 4"
    [path] = tmp_path.glob("cache/data/*/split.csv")
    assert split.strip().startswith(f"split: {path} (SHA-256 ")
