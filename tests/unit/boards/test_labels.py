from __future__ import annotations

import dataclasses

from benchbase.boards.board import Suite
from benchbase.boards.labels import LabelsHere
from benchbase.boards.plan import Condition
from benchbase.errors import DataError
from tests.running import TINY, installed


def suite(*scenarios):
    return Suite("test", "test", scenarios, (0,))


def test_labels_are_drawn_for_the_scenarios_and_seeds_of_a_board(tmp_path):
    here = LabelsHere.of_board(suite(TINY), tmp_path, installed(), (), tmp_path)
    drawn = here.of(TINY, 0)
    assert len(drawn.test) == 1000
    assert (drawn.validation != drawn.validation_true).mean() > 0.2
    assert here.of(TINY, 0) is drawn
    assert here.of(TINY, 1) is None
    assert here.missing == {}


def test_what_one_scenario_lacks_is_said_and_the_others_are_drawn(tmp_path):
    other = dataclasses.replace(TINY, dataset="no-such-data")
    odd = dataclasses.replace(TINY, noise="no-such-noise", noise_options={})
    here = LabelsHere.of_board(suite(other, TINY, odd), tmp_path, installed(), (), tmp_path)
    assert here.of(TINY, 0) is not None
    assert here.of(other, 0) is None
    data, noise = here.missing.items()
    assert data[0].startswith("no-such-data ")
    assert "no-such-data" in data[1]
    assert noise[0].startswith("nuclei no-such-noise")
    assert "no-such-noise" in noise[1]


def test_data_that_are_not_on_this_machine_are_named_with_the_reason(tmp_path, monkeypatch):
    def lacking(_):
        raise DataError("no file train.gz")

    monkeypatch.setattr(Condition, "draw_labels", lacking)
    here = LabelsHere.of_board(suite(TINY), tmp_path, installed(), (), tmp_path)
    assert here.of(TINY, 0) is None
    assert here.missing == {"nuclei": "no file train.gz"}
