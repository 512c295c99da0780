"""Four tiny images, the same for training, validation and test, as an opened scenario."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchbase.cell import DataIdentity, Invariances
from benchbase.data.contract import Part
from benchbase.data.maps import judged_order, lay_out
from benchbase.data.opening import Opened
from tests.unit.made_records import CORRUPTION

LABELS = np.array([0, 1, 1, 0], dtype=np.int64)
NOWHERE = DataIdentity("", "", "")


def make_opened(identity: DataIdentity = NOWHERE) -> Opened:
    """Give the scenario, with all labels right."""
    part = Part(np.zeros((4, 1, 2, 2), dtype=np.uint8), LABELS)
    order, pixels = judged_order(8), (part.pixels, part.pixels)
    images = lay_out(Path(), np.arange(4), part.pixels)
    return Opened(
        classes=("a", "b"),
        invariances=Invariances(flips="none"),
        train=part,
        train_true=LABELS,
        trusted=part,
        trusted_labels="clean",
        unlabelled=None,
        unlabelled_true=None,
        validation=part,
        validation_true=LABELS,
        test=part,
        mean=(0.0,),
        std=(1.0,),
        noise_rate=0.0,
        corruption={**CORRUPTION, "identifiable": True},
        identity=identity,
        maps={"train": images, "trusted": images, "judged": lay_out(Path(), order, *pixels)},
        judged_order=order,
    )
