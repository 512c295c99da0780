"""An advice on a folder of images, in processes of its own and within its time."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from PIL import Image

from benchbase.cli import invoke

pytestmark = [pytest.mark.slow, pytest.mark.rare]
STARTING_SECONDS = 30
"""Of which a busy machine may need a part to end processes and write tables."""


def images(folder, count=240):
    rng = np.random.Generator(np.random.PCG64(0))
    for row in range(count):
        kind = row % 2
        pixels = rng.integers(0, 60, size=(16, 16, 3)) + 100 * kind
        label = "bright" if kind and rng.random() > 0.3 else "dark"
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{row}.png")


def test_it_stops_within_two_minutes_and_goes_on_from_there(tmp_path, capfd):
    images(tmp_path / "set")
    home = tmp_path / "home"
    command = ["advise", f"folder:{tmp_path / 'set'}", "--size", "16", "--home", str(home)]
    started = time.monotonic()
    assert invoke([*command, "--budget", "2m", "--json"]) == 0
    assert time.monotonic() - started < 120 + STARTING_SECONDS
    first = json.loads(capfd.readouterr().out)
    assert first["sentences"]
    assert first["left_out"]
    ran = {path.parent.name for path in (home / "runs").glob("**/*.json")}
    assert invoke([*command, "--budget", "2m", "--json"]) == 0
    again = json.loads(capfd.readouterr().out)
    assert len(again["left_out"]) <= len(first["left_out"])
    assert ran < {path.parent.name for path in (home / "runs").glob("**/*.json")}
