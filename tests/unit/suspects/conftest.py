"""Small images of two classes, some of whose labels are wrong, and what networks train by."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances, Recipe
from benchbase.data.maps import lay_out
from benchbase.plugins import Entry, Source
from benchbase.suspects.labelled import Labelled
from benchbase.suspects.training import School

WRONG = (3, 10)


@dataclass(frozen=True)
class Made(Entry):
    """Stands for an entry of the catalogue: its class is at hand."""

    made: type[Any] = SmallCNN

    def load(self) -> type[Any]:
        return self.made


def entry(made: type[Any], needs: tuple[str, ...] = ()) -> Made:
    source = Source("module", "tests")
    return Made("", made.name, source, "", "", (), "", "", needs=needs, made=made)


@pytest.fixture
def images() -> Labelled:
    """Dark images and bright ones; the labels at ``WRONG`` are not theirs."""
    truth = np.arange(48) % 2
    rng = np.random.Generator(np.random.PCG64(0))
    noise = rng.integers(0, 30, size=(48, 3, 8, 8))
    labels = truth.copy()
    labels[[*WRONG]] = 1 - labels[[*WRONG]]
    pixels = (noise + 150 * truth[:, None, None, None]).astype(np.uint8)
    return Labelled(
        names=tuple(f"{row}.png" for row in range(48)),
        classes=("dark", "bright"),
        map=lay_out(Path(), np.arange(48), pixels),
        labels=labels,
        groups=np.arange(48) // 2,
    )


@pytest.fixture
def school(images) -> School:
    return School(
        images=images.map,
        classes=images.classes,
        invariances=Invariances(),
        backbone=entry(SmallCNN),
        backbone_options={},
        recipe=Recipe(epochs=6, batch_size=6),
        deadline=time.time() + 600,
    )
