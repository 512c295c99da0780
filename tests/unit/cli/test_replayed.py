"""A finished cell is found with the time and the code of its run."""

from __future__ import annotations

import dataclasses
import re

from benchbase.boards.plan import Plan
from benchbase.cli.replayed import changed_names, found_again, not_replayed
from benchbase.plugins import Catalogue, Entry
from benchbase.records.record import Record
from benchbase.running.executors.contract import Job
from tests.unit.jobs import make_job
from tests.unit.made_records import PROVENANCE, changed, make_record


def planned(*sources: str, version: str = "1.0") -> tuple[Plan, list[Record]]:
    """Plan a cell for each source that one of the version was run by, and one still to run."""
    records = [
        changed(make_record(seed=seed), "provenance", source=source, finished=60.0 * seed)
        for seed, source in enumerate(sources)
    ]
    to_do = make_job("plain", seed=99)
    jobs = [
        Job(
            dataclasses.replace(
                to_do.cell,
                weighter=dataclasses.replace(record.spec.weighter, version=version),
                seed=record.spec.seed,
            ),
            dataclasses.replace(to_do.weighter, version=version, source_hash="now" * 10),
            to_do.backbone,
            to_do.open,
        )
        for record in records
    ]
    done = {job.cell.key: record for job, record in zip(jobs, records, strict=True)}
    return Plan((*jobs, to_do), done), records


def test_what_is_found_is_told_by_method_with_time_and_code() -> None:
    plan, _ = planned("now" * 10, "now" * 10)
    [line] = found_again(plan)
    clock = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(
        f"found: plain: 2 cells run at {clock} to {clock} with code nownownownow", line
    )


def test_what_other_code_of_the_version_ran_is_told_so() -> None:
    plan, _ = planned("before", "now" * 10)
    [line] = found_again(plan)
    assert line.endswith("with code before, nownownownow; plain: code changed since, not replayed")


def test_one_time_is_told_once_and_code_that_is_unknown_so() -> None:
    [line] = found_again(planned("")[0])
    assert line.count(":") == 3  # "found:", "plain:" and the clock's
    assert line.endswith("with code unknown")


def test_only_the_same_version_of_a_thing_can_have_changed_code() -> None:
    plan, [record] = planned("before")
    weighter, backbone = plan.jobs[0].weighter, plan.jobs[0].backbone
    assert changed_names(record, [weighter, backbone]) == ["plain"]
    for other in (
        dataclasses.replace(weighter, version="2"),
        dataclasses.replace(weighter, version=""),
        dataclasses.replace(weighter, source_hash="before"),
    ):
        assert changed_names(record, [other]) == []


def test_a_network_of_other_code_is_told() -> None:
    _, [record] = planned("")
    entry = make_job("plain").backbone
    stated = dataclasses.replace(entry, version="3")
    record = changed(record, "spec", backbone_source="version 3")
    record = changed(record, "provenance", backbone_source="before")
    assert not_replayed([record], Catalogue((stated,))) == [
        "small_cnn: code changed since, not replayed (1 results)"
    ]
    assert not_replayed([record], Catalogue((entry,))) == []
    assert PROVENANCE.backbone_source == ""


def test_what_is_not_installed_any_more_is_left_out() -> None:
    _, [record] = planned("before")
    empty: tuple[Entry, ...] = ()
    assert not_replayed([record], Catalogue(empty)) == []
