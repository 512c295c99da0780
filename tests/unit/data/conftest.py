"""A data set whose images are all different, and a way to open it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchbase.boards.conditions import grid, parse_imbalance, parse_noise
from benchbase.cell import Scenario
from benchbase.data.contract import DataParts, DataSet, Imbalance, Labels, Noise, Part
from benchbase.data.imbalance import Exponential, Natural, Step
from benchbase.data.noise import KINDS
from benchbase.data.opening import Opened, open_scenario
from benchbase.options import construct

NOISES: dict[str, type[Noise]] = {kind.name: kind for kind in KINDS}
IMBALANCES: dict[str, type[Imbalance]] = {kind.name: kind for kind in (Natural, Exponential, Step)}
Open = Callable[..., Opened]
MakeStamps = Callable[..., DataSet]
TRACKS = ["T0", "T5", "T10", "TM"]


def pixel_rows(part: Part) -> list[int]:
    """Read the row number that is stamped on each image."""
    stamp = part.pixels[:, 0, 0].astype(np.int64)
    rows: list[int] = (stamp[:, 1] * 256 + stamp[:, 2]).tolist()
    return rows


def stamps_of(*parts: Part | None) -> list[set[bytes]]:
    """Give each part's images as hashable values."""
    return [{image.tobytes() for image in part.pixels} for part in parts if part is not None]


@dataclass(frozen=True)
class Stamps(DataSet):
    """Images that carry their part and row as pixels; labels repeat 0, 1, 2, ..."""

    train: int = 600
    test: int = 90
    validation: int = 0
    trusted: int = 0
    classes: int = 3
    images_a_group: int = 0
    given: bool = False
    """Whether people gave labels of which every fourth is wrong."""
    verified: int | None = None
    """Somebody verified one training image in so many."""

    name: ClassVar[str] = "stamps"
    truth_known: ClassVar[bool] = True

    def part(self, number: int, count: int) -> Part:
        pixels = np.zeros((count, 2, 4, 4), dtype=np.uint8)
        pixels[:, 0, 0, 0] = number
        pixels[:, 0, 0, 1], pixels[:, 0, 0, 2] = np.divmod(np.arange(count), 256)
        pixels[:, 1] = 51
        labels = self.labels(count)
        shifted = (labels + (np.arange(count) % 4 == 0)) % self.classes
        return Part(pixels, labels, shifted if self.given else None)

    def labels(self, count: int) -> Labels:
        return np.arange(count) % self.classes

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        return DataParts(
            classes=tuple("abcdefghij"[: self.classes]),
            train=self.part(1, self.train),
            test=self.part(2, self.test),
            validation=self.part(3, self.validation) if self.validation else None,
            trusted=self.part(4, self.trusted) if self.trusted else None,
            verified=(np.arange(self.train) % self.verified == 0) if self.verified else None,
            groups=(np.arange(self.train) // self.images_a_group if self.images_a_group else None),
        )


@pytest.fixture
def stamps() -> type[Stamps]:
    return Stamps


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def open_stamps(cache: Path) -> Callable[..., Opened]:
    """Open a scenario on ``Stamps``: keywords of the scenario, noise and imbalance as text."""

    def opener(
        dataset: DataSet | None = None,
        seed: int = 0,
        noise: str = "none",
        imbalance: str = "natural",
        **fields: Any,
    ) -> Opened:
        base = Scenario(dataset="stamps", **{"track": "T5", **fields})
        [scenario] = grid(base, parse_noise(noise), parse_imbalance(imbalance))
        return open_scenario(
            scenario,
            seed,
            dataset=dataset or Stamps(),
            noise=construct(NOISES[scenario.noise], scenario.noise_options),
            imbalance=construct(IMBALANCES[scenario.imbalance], scenario.imbalance_options),
            roots=[],
            cache=cache,
        )

    return opener
