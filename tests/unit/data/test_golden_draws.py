"""The same rows and labels are drawn while RESULTS_VERSION stays."""

from __future__ import annotations

import numpy as np

from benchbase.data.opening import Opened
from benchbase.testing.golden import Run
from tests.unit.data.conftest import Stamps

CONDITIONS = {
    "as it is": {},
    "tail": {"imbalance": "exponential:5.0", "track": "T0"},
    "step": {"imbalance": "step:4.0", "train_size": 200},
    "symmetric": {"noise": "symmetric:0.3", "track": "T10"},
    "pair": {"noise": "pair:0.3", "track": "TM"},
    "instance": {"noise": "instance:0.3"},
    "few labels": {"noise": "symmetric:0.3", "label_fraction": 0.2},
}


def check_sums(opened: Opened) -> list[float]:
    """Sum up labels, and which rows they are of, by position: whole numbers on every machine."""
    parts = (opened.train, opened.validation, opened.trusted, opened.unlabelled)
    sums = []
    for part in parts:
        if part is not None:
            row = part.pixels[:, 0, 0, 1] * 256.0 + part.pixels[:, 0, 0, 2]
            places = np.arange(1, len(part) + 1)
            sums += [float(places @ part.labels), float(places @ row)]
    return sums


def test_draws_are_those_of_this_results_version(open_stamps, guard_runs) -> None:
    runs = {}
    for name, fields in CONDITIONS.items():
        opened = open_stamps(seed=3, **fields)
        identity = opened.identity
        bits = f"{identity.split_hash[:16]} {identity.labels_hash[:16]}"
        runs[name] = Run(bits, [check_sums(opened)])
    grouped = open_stamps(Stamps(images_a_group=4), seed=3)
    runs["groups"] = Run(grouped.identity.split_hash[:16], [check_sums(grouped)])
    guard_runs("draws", "", runs)
