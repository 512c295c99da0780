from __future__ import annotations

import threading

import numpy as np
import pytest

from benchbase.errors import UsageError
from benchbase.judging.statistics import NO_MATTER
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.records.record import Record
from benchbase.records.replays import Replay
from benchbase.running import sweep
from benchbase.running.executors.contract import Execution, Job, Outcome, Slot
from benchbase.running.replaying import (
    Asked,
    reference_beside,
    replay,
    sample,
    tolerances,
)
from benchbase.running.settings import Settings
from tests.running import make_job
from tests.unit.made_records import CLEAN, NOISY, make_board, make_record, make_result, undefined

BOARD = make_board(("plain", "clever"), [CLEAN, NOISY], seeds=3)


def scored(name, scenario, scores):
    return [make_record(name, scenario, seed, score) for seed, score in enumerate(scores)]


def test_the_tolerance_is_three_deviations_between_the_seeds_of_a_scenario():
    clean = [*scored("plain", CLEAN, (0.7, 0.8, 0.9)), *scored("clever", CLEAN, (0.5, 0.6, 0.7))]
    noisy = scored("plain", NOISY, (0.5, 0.5, 0.5))
    found = tolerances(BOARD, [*clean, *noisy])
    assert {round(found[record.key], 9) for record in clean} == {0.3}
    assert {found[record.key] for record in noisy} == {NO_MATTER}


def test_a_sample_is_of_cells_that_ended_well():
    good = scored("plain", CLEAN, (0.7, 0.8))
    records = [*good, make_record(seed=2, status="oom")]
    assert {record.key for record in sample(BOARD, records, 10)} == {one.key for one in good}
    assert len(sample(BOARD, records, 1)) == 1
    with pytest.raises(UsageError, match="no cell that ended well"):
        sample(BOARD, records[-1:], 1)


def test_the_reference_stands_beside_where_it_has_a_score():
    ours, theirs = scored("clever", CLEAN, (0.7, 0.8)), scored("plain", CLEAN, (0.6, 0.6))
    theirs[0] = undefined(theirs[0])
    records = [*ours, *theirs]
    assert reference_beside(BOARD, records, ours[1:]) is theirs[1]
    assert reference_beside(BOARD, records, ours[:1]) is ours[0]


def no_child(*_asked):
    raise AssertionError("nothing is trained here")


class Ready(Execution):
    """Gives every job the same outcome."""

    def __init__(self):
        self.ended = threading.Event()

    def run(self, jobs, work, done):
        for job in jobs:
            done(job, work(job, Slot(0, "cpu", no_child)))

    def drain(self):
        pass

    def stop(self):
        pass


def test_a_replay_is_told_and_stored_in_its_own_home(tmp_path, monkeypatch):
    job: Job = make_job("erm", tmp_path / "cache")
    monkeypatch.setattr(sweep, "run_cell", lambda *_: Outcome(make_result("oom", reason="no room")))
    record = make_record()
    settings = Settings(tmp_path, Home(tmp_path / "again"), 9.0, 1, gather([], "local", ()))
    told: list[tuple[Replay, Record]] = []
    [found] = replay(
        [Asked(record, job, 0.01, None)],
        Ready(),
        settings,
        scored_by=("tail", "balanced_accuracy"),
        by="me",
        heard=lambda *heard: told.append(heard),
    )
    [(heard, today)] = told
    assert heard == found
    assert today.reason == "no room"
    assert (found.key, found.outcome, found.by) == (record.key, "did not finish", "me")
    assert np.isclose(found.recorded, 0.8)
    assert [*settings.home.records.rglob("*.json")]
