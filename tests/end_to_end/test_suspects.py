"""From a folder of images to a CSV and a page of suspects, in processes of their own."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchbase.cli import invoke

pytestmark = pytest.mark.slow


def images_with_one_wrong(folder: Path) -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    for row in range(60):
        kind = row % 2
        pixels = rng.integers(0, 30, size=(16, 16, 3)) + 150 * kind
        label = "bright" if kind and row != 31 else "dark"
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{row}.png")


def test_a_wrong_label_comes_first_and_the_path_of_the_csv_last(tmp_path, capfd):
    images_with_one_wrong(tmp_path / "set")
    arguments = ["suspects", f"folder:{tmp_path / 'set'}", "--size", "16", "--epochs", "4"]
    assert invoke([*arguments, "--home", str(tmp_path / "home"), "--budget", "20m"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[-1].startswith("Written: ")
    path = Path(out[-1].removeprefix("Written: "))
    [first, *rest] = csv.DictReader(path.open())
    assert (first["path"], first["given"], first["suggested"]) == ("dark/31.png", "dark", "bright")
    assert len(rest) == 59
    assert "dark/31.png" in path.with_suffix(".html").read_text()
