from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbase.boards.plan import Condition
from benchbase.boards.thinning import thinned
from benchbase.cell import Scenario
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.data.imbalance import Exponential, Natural
from benchbase.options import settings_of
from tests.unit.jobs import make_job


@dataclass(frozen=True)
class Uneven(DataSet):
    """So many images of each class; few of the one that is to be the most frequent."""

    images: tuple[int, ...] = (10, 1000, 100)

    name = "uneven"

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        labels = np.repeat(np.arange(3), self.images)
        part = Part(np.zeros((len(labels), 1, 1, 1), np.uint8), labels)
        return DataParts(classes=("rare", "frequent", "other"), train=part, test=part)


def condition(cache, imbalance, dataset=Uneven(), seed=0):
    shared = {"roots": (), "cache": cache, "secret": None}
    parts = {"dataset": dataset, "imbalance": imbalance, **shared}
    options = settings_of(imbalance)
    if options.get("order") == "given":
        del options["order"]
    scenario = Scenario("uneven", imbalance=imbalance.name, imbalance_options=options)
    return Condition(scenario, seed, parts, make_job("plain").backbone)


def test_an_imbalance_that_throws_most_images_away_is_told_once(tmp_path):
    [told] = thinned(condition(tmp_path, Exponential(ratio=10.0), seed=seed) for seed in range(3))
    assert told.startswith("imbalance 1:10 keeps 14 of 1,110 training images of uneven: the 10 of ")
    assert told.endswith("class 'rare' hold the others down (10, 3, 1 of 10, 1000, 100)")


def test_of_a_drawn_order_the_first_seed_is_told(tmp_path):
    drawn = Exponential(ratio=10.0, order="drawn")
    [told] = thinned(condition(tmp_path, drawn, seed=seed) for seed in (4, 5))
    assert told.startswith("imbalance exponential[order=drawn,ratio=10] keeps ")
    assert "of 1,110 training images of uneven at seed 4: " in told
    assert not told.endswith("(10, 3, 1 of 10, 1000, 100)")


def test_one_that_leaves_enough_is_not(tmp_path):
    even = Uneven((100, 100, 100))
    assert [*thinned([condition(tmp_path, Exponential(ratio=2.0), even)])] == []
    assert [*thinned([condition(tmp_path, Natural())])] == []
