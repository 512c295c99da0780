from __future__ import annotations

import dataclasses

import pytest

from benchbase.boards.estimate import estimate_seconds
from benchbase.boards.plan import Plan
from benchbase.cell import Recipe
from tests.unit.jobs import make_job
from tests.unit.made_records import make_record, make_scenario

SEEN = make_scenario(recipe=Recipe(epochs=5))


def seconds_for(weighter: str, *, seconds: float = 8.0, **changes) -> float | None:
    job = make_job(weighter)
    scenario = dataclasses.replace(SEEN, **changes)
    job = dataclasses.replace(job, cell=dataclasses.replace(job.cell, scenario=scenario))
    records = [make_record("plain", SEEN, seconds=seconds), make_record("slow", SEEN, seconds=38.0)]
    return estimate_seconds(Plan((job,), {}), records, 2)


def test_the_same_method_comes_first_and_others_stand_in_for_a_new_one():
    assert seconds_for("plain") == 10 / 2
    assert seconds_for("slow") == 40 / 2
    assert seconds_for("new") == 25 / 2


def test_twice_the_epochs_take_twice_the_time_and_wrong_labels_none():
    assert seconds_for("plain", recipe=Recipe(epochs=10)) == 20 / 2
    assert seconds_for("plain", noise="symmetric", noise_options={"rate": 0.4}) == 10 / 2


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "others"},
        {"backbone": "larger"},
        {"train_size": 100},
        {"imbalance_options": {"ratio": 10.0}},
        {"recipe": Recipe(epochs=5, batch_size=10)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_data_sizes_or_networks_are_unknown(changes):
    assert seconds_for("plain", **changes) is None


def test_nothing_to_do_takes_no_time():
    assert estimate_seconds(Plan((), {}), [], 2) == 0
