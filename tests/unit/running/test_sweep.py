"""A sweep with an executor that runs everything at once: what is written, and what may be lost."""

from __future__ import annotations

import threading
import time

import msgspec
import numpy as np
import pytest

from benchbase.boards.plan import Plan
from benchbase.errors import StoreError
from benchbase.records.home import Home
from benchbase.records.leases import Leases
from benchbase.records.record import Record
from benchbase.records.store import Store, new_attempt
from benchbase.running import sweep as sweeping
from benchbase.running.executors.contract import Execution, Outcome, Slot
from benchbase.running.settings import Settings
from benchbase.running.sweep import sweep
from tests.unit.jobs import make_job
from tests.unit.made_records import PROVENANCE, make_result


class AtOnce(Execution):
    """Runs each job in turn, in this thread."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def run(self, jobs, work, done):
        for job in jobs:
            done(job, work(job, Slot(0, "cpu", print)))

    def drain(self):
        raise AssertionError

    def stop(self):
        raise AssertionError


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Sweep jobs whose cells come to the given outcomes."""

    def run(outcomes: dict[str, Outcome], store: Store | None = None):
        monkeypatch.setattr(
            sweeping, "run_cell", lambda job, slot, settings: outcomes[job.cell.weighter.name]
        )
        plan = Plan(tuple(make_job(name) for name in outcomes), {})
        settings = Settings(tmp_path, Home(tmp_path), 1.0, 1, PROVENANCE)
        heard: list[str] = []
        tally = sweep(
            plan,
            AtOnce(),
            settings,
            store or Store(Home(tmp_path)),
            started=lambda job: heard.append(f"start {job.cell.weighter.name}"),
            finished=lambda job, record: heard.append(f"end {job.cell.weighter.name}"),
        )
        return tally, heard

    return run


OK = Outcome(make_result(), {"test_logits": np.zeros((1, 2, 3), np.float16)})


def test_each_outcome_becomes_one_record_and_failures_are_counted(play, tmp_path):
    tally, heard = play({"one": OK, "two": Outcome(make_result("error", reason="lost"))})
    assert heard == ["start one", "end one", "start two", "end two"]
    assert [record.reason for record in tally.failures] == ["lost"]
    records = {r.spec.weighter.name: r for r in Store(Home(tmp_path)).records()}
    assert {name: record.status for name, record in records.items()} == {
        "one": "ok",
        "two": "error",
    }
    one = records["one"]
    with np.load(Home(tmp_path).predictions(one.key, one.attempt), allow_pickle=False) as stored:
        assert stored["test_logits"].shape == (1, 2, 3)
    assert records["two"].artefacts == {}


def test_a_record_that_cannot_be_written_is_told_and_the_others_go_on(play, tmp_path):
    class Full(Store):
        def write(self, record):
            if record.spec.weighter.name == "one":
                raise StoreError("no space left")
            return super().write(record)

    tally, heard = play({"one": OK, "two": OK}, Full(Home(tmp_path)))
    assert [(job.cell.weighter.name, reason) for job, reason in tally.lost] == [
        ("one", "no space left")
    ]
    assert heard == ["start one", "end one", "start two", "end two"]
    assert len(list(Store(Home(tmp_path)).records())) == 1


def test_predictions_that_cannot_be_written_lose_the_cell_and_nothing_else(play, tmp_path):
    (tmp_path / "preds").write_text("in the way")
    tally, _ = play({"one": OK})
    assert "cannot be written" in tally.lost[0][1]


def test_a_cell_that_another_run_has_is_waited_for_and_taken_over(play, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "POLL_SECONDS", 0.01)
    store = Store(Home(tmp_path))
    key = make_job("plain").cell.key
    with Leases(store.home).kept() as other:
        assert other.claim(key)

        def finish_elsewhere() -> None:
            time.sleep(0.1)
            cell = make_job("plain").cell
            result = msgspec.structs.asdict(OK.result)
            store.write(Record(key=key, attempt=new_attempt(), spec=cell.spec, **result))
            other.release(key)

        threading.Thread(target=finish_elsewhere).start()
        tally, heard = play({"plain": OK}, store)
    assert tally.elsewhere == 1
    assert tally.records[key].status == "ok"
    assert heard == ["start plain", "end plain"]


def test_a_claim_that_was_given_up_is_run_here(play, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "POLL_SECONDS", 0.01)
    store = Store(Home(tmp_path))
    key = make_job("plain").cell.key
    with Leases(store.home).kept() as other:
        assert other.claim(key)
        threading.Timer(0.1, other.release, [key]).start()
        tally, _ = play({"plain": OK}, store)
    assert (tally.elsewhere, len(tally.records)) == (0, 1)


def test_a_slot_of_another_machine_runs_the_whole_cell_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "run_cell", None)

    class Elsewhere(AtOnce):
        def run(self, jobs, work, done):
            def elsewhere(job, slot, settings):
                return Outcome(make_result())

            for job in jobs:
                done(job, work(job, Slot(0, "cuda:0", print, elsewhere)))

    settings = Settings(tmp_path, Home(tmp_path), 1.0, 1, PROVENANCE)
    tally = sweep(
        Plan((make_job("far"),), {}), Elsewhere(), settings, Store(Home(tmp_path)),
        started=lambda job: None, finished=lambda job, record: None,
    )  # fmt: skip
    assert [record.status for record in tally.records.values()] == ["ok"]
