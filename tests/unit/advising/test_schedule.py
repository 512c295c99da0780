"""What runs first and what is left out, by pretend times."""

from __future__ import annotations

import dataclasses

import pytest

from benchbase.advising.plan import GIVEN, INJECTED, RIGHT
from benchbase.advising.schedule import Schedule
from benchbase.cell import Scenario
from benchbase.records.record import Record
from tests.unit.jobs import make_job
from tests.unit.made_records import make_record

SCENARIOS = {
    GIVEN: Scenario(dataset="mine"),
    INJECTED: Scenario(dataset="npz", noise="matrix"),
    RIGHT: Scenario(dataset="npz"),
}


def jobs(methods, scenarios):
    return [
        dataclasses.replace(made, cell=dataclasses.replace(made.cell, scenario=scenario))
        for seed in range(5)
        for name in methods
        for scenario in scenarios.values()
        for made in [make_job(name, seed)]
    ]


def carried_out(budget, methods=("erm", "focal", "gce"), scenarios=SCENARIOS, seconds=8.0):
    """Give what runs, block by block, where each cell takes ten seconds, and the schedule."""
    records: dict[str, Record] = {}
    spent = 0.0
    schedule = Schedule(
        jobs=jobs(methods, scenarios),
        reference="erm",
        scenarios=scenarios,
        records=records,
        slots=1,
        left=lambda: budget - spent,
    )
    ran = []
    for block in schedule.blocks():
        to_do = [job for job in block.jobs if job.cell.key not in records]
        ran.append((block.name, len(to_do)))
        for job in to_do:
            cell = job.cell
            record = make_record(cell.weighter.label, cell.scenario, cell.seed, seconds=seconds)
            records[cell.key] = record
            spent += seconds + 2
    return ran, schedule


def test_the_reference_comes_first_then_whole_methods_then_more_seeds():
    ran, schedule = carried_out(10_000)
    assert ran == [
        ("erm", 2),
        ("erm", 4),
        ("focal", 6),
        (RIGHT, 3),
        ("gce", 6),
        ("seed 3", 6),
        ("seed 4", 6),
    ]
    assert not schedule.left_out


def test_the_first_cells_are_the_reference_at_one_seed_in_each_scenario():
    _, schedule = carried_out(10_000)
    first = next(iter(schedule.blocks()))
    assert {job.cell.weighter.label for job in first.jobs} == {"erm"}
    assert {job.cell.scenario.dataset for job in first.jobs} == {"mine", "npz"}


def test_methods_that_do_not_fit_are_named_with_the_time_that_is_missing():
    ran, schedule = carried_out(160)
    assert [name for name, _ in ran] == ["erm", "erm", "focal", RIGHT]
    assert schedule.left_out.keys() == {"gce", "seed 3"}
    assert schedule.left_out["gce"] == "some 1 min more are needed"


def test_a_method_that_was_begun_and_not_ended_is_named():
    schedule = Schedule(
        jobs=jobs(("erm", "focal"), SCENARIOS),
        reference="erm",
        scenarios=SCENARIOS,
        records={},
        slots=1,
        left=lambda: 1.0,
    )
    list(schedule.blocks())  # nobody carries them out
    assert schedule.left_out["focal"] == "the time ran out while it trained"


def test_where_time_is_short_injected_noise_goes_before_the_methods():
    ran, schedule = carried_out(80)
    assert INJECTED in schedule.left_out
    assert ran[:3] == [("erm", 2), ("erm", 2), ("focal", 3)]


def test_without_an_estimate_only_labels_as_given_are_asked():
    only = {GIVEN: SCENARIOS[GIVEN]}
    ran, _ = carried_out(10_000, scenarios=only)
    assert ran[:3] == [("erm", 1), ("erm", 2), ("focal", 3)]
    assert RIGHT not in dict(ran)


@pytest.mark.parametrize("budget", [10.0, 10_000.0])
def test_a_reference_alone_is_run(budget):
    ran, _ = carried_out(budget, methods=("erm",))
    assert ran[0] == ("erm", 2)
