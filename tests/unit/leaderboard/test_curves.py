from __future__ import annotations

import pytest

from benchbase.leaderboard.curves import mean_curves
from tests.unit.made_records import make_board, make_record, make_scenario


def test_curves_are_means_over_the_seeds_that_finished_well():
    board = make_board(seeds=3, scenarios=[make_scenario()])
    records = [make_record(seed=0, score=0.6), make_record(seed=1, score=0.8)]
    records.append(make_record(seed=2, status="diverged"))
    [found] = mean_curves(board, records)
    assert (found.scenario, found.method) == ("labels as given, 1:1", "plain")
    assert found.curves["test_balanced_accuracy"] == pytest.approx((0.5, 0.6, 0.7))
    assert found.curves["weight_auroc"] == (0.5, 0.6, None)


def test_curves_of_different_lengths_are_averaged_where_they_are():
    board = make_board(seeds=2, scenarios=[make_scenario()])
    records = [
        make_record(seed=0, curves={"loss": [1.0, 0.5]}),
        make_record(seed=1, curves={"loss": [2.0]}),
    ]
    [found] = mean_curves(board, records)
    assert found.curves == {"loss": (1.5, 0.5)}
    assert found.to_json()["curves"] == {"loss": [1.5, 0.5]}
