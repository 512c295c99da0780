"""From a folder of images to a CSV and a page of suspects, in processes of their own."""

from __future__ import annotations

import csv
import json
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


def images_with_symmetric_noise(folder: Path, count: int, rate: float) -> set[str]:
    """Make images of three classes that a network learns; give the names of those mislabelled."""
    rng = np.random.Generator(np.random.PCG64(1))
    wrong = set()
    for row in range(count):
        kind = row % 3
        pixels = rng.integers(0, 120, size=(16, 16, 3))
        pixels[:, :, kind] += 25
        given = (kind + int(rng.integers(1, 3))) % 3 if rng.random() < rate else kind
        name = f"{'abc'[given]}/{row}.png"
        (folder / "abc"[given]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        if given != kind:
            wrong.add(name)
    return wrong


@pytest.mark.rare
def test_symmetric_noise_is_found_as_one_sided_noise_is(tmp_path, capfd):
    wrong = images_with_symmetric_noise(tmp_path / "set", 600, 0.3)
    arguments = ["suspects", f"folder:{tmp_path / 'set'}", "--size", "16", "--home", str(tmp_path)]
    assert invoke([*arguments, "--budget", "20m", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    lines = Path(found["written"][-1]).read_text().splitlines()
    first = [row["path"] for row in csv.DictReader(lines)][:100]
    assert np.mean([name in wrong for name in first]) >= 0.8
    assert not [name for name in found["measured"] if "random" in name or "oracle" in name]


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
