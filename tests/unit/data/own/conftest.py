"""Small images in exactly the formats that people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def patch(index: int, mode: str = "RGB", shape: tuple[int, int] = (20, 12)) -> Image.Image:
    """Draw an image (width, height) unlike all others: a square of its own."""
    pixels = np.full((shape[1], shape[0], 3), 40, dtype=np.uint8)
    top, left = index * 3 % (shape[1] - 4), index * 5 % (shape[0] - 4)
    pixels[top : top + 4, left : left + 4] = (255 - index % 200, 90 + index % 100, index % 250)
    return Image.fromarray(pixels).convert(mode)


@pytest.fixture
def class_folders(tmp_path: Path) -> Callable[..., Path]:
    """Make ``root/CLASS/NAME_i.png``, so many images of each class."""

    def make(root: str = "set", /, **counts: int) -> Path:
        folder = tmp_path / root
        number = 0
        for name, count in counts.items():
            (folder / name).mkdir(parents=True)
            for index in range(count):
                patch(number).save(folder / name / f"{name}_{index}.png")
                number += 1
        return folder

    return make


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a table, and an image for each name in ``images`` (paths below the folder)."""

    def make(text: str, *, images: tuple[str, ...] = (), name: str = "labels.csv") -> Path:
        for number, image in enumerate(images):
            path = tmp_path / image
            path.parent.mkdir(parents=True, exist_ok=True)
            patch(number).save(path)
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return make
