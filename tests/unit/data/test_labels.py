from __future__ import annotations

import pytest

from benchbase.cell import Scenario
from benchbase.data.imbalance import Exponential
from benchbase.data.labels import draw_labels
from benchbase.data.noise import SymmetricNoise
from benchbase.data.opening import open_scenario


@pytest.mark.parametrize("track", ["T0", "T5"])
def test_the_labels_are_those_of_an_opening(stamps, cache, track):
    scenario = Scenario(dataset="stamps", track=track)
    parts = {
        "dataset": stamps(),
        "noise": SymmetricNoise(0.4),
        "imbalance": Exponential(2),
        "roots": [],
        "cache": cache,
    }
    opened = open_scenario(scenario, 1, **parts)
    drawn = draw_labels(scenario, 1, **parts)
    assert drawn.identity == opened.identity
    assert drawn.test.tolist() == opened.test.labels.tolist()
    assert drawn.validation.tolist() == opened.validation.labels.tolist()
    assert drawn.validation_true.tolist() == opened.validation_true.tolist()
