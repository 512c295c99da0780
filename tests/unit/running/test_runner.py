"""What becomes of a cell: whatever ends its conversation is a result."""

from __future__ import annotations

import dataclasses
import errno

import pytest

from benchbase.cell import DataIdentity
from benchbase.errors import ContractError, DivergedError, RunError
from benchbase.options import OptionSpec
from benchbase.records.home import Home
from benchbase.records.record import Failure, Result
from benchbase.running import runner
from benchbase.running.conversation import CellFailedError
from benchbase.running.executors.contract import Slot
from benchbase.running.messages import Spent
from benchbase.running.settings import Settings
from tests.unit.jobs import make_job
from tests.unit.made_records import PROVENANCE
from tests.unit.small_opened import make_opened

FAILURE = Failure(type="E", message="m", traceback="")
PLANNED = make_job("plain").cell.data


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Run a cell whose conversation is a function of its arguments."""

    def run(converse, identity: DataIdentity = PLANNED) -> Result:
        monkeypatch.setattr(runner, "converse", lambda **given: converse(given))
        job = make_job("plain")
        weighter = dataclasses.replace(job.weighter, options=(OptionSpec("gain", "float", 2.0),))
        job = dataclasses.replace(job, weighter=weighter, open=lambda _: make_opened(identity))
        settings = Settings(tmp_path / "work", Home(tmp_path), 1.0, 3, PROVENANCE)
        result = runner.run_cell(job, Slot(1, "cuda:1", print), settings).result
        assert not list(tmp_path.glob("work/*"))
        return result

    return run


def raising(error):
    def converse(given):
        costs = given["journal"].costs
        costs.train, costs.spent = 2.0, Spent(images_forwarded=40)
        raise error

    return converse


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (CellFailedError("timeout", "too late"), "timeout", "too late"),
        (CellFailedError("oom", "no memory", FAILURE), "oom", "no memory"),
        (DivergedError("NaN"), "diverged", "DivergedError: NaN"),
        (ContractError("nonsense"), "error", "ContractError: nonsense"),
        (OSError(errno.ENOSPC, "full"), "killed", "the harness met OSError: [Errno 28] full"),
        (RunError("no process"), "killed", "the harness met RunError: no process"),
        (ZeroDivisionError("ours"), "killed", "the harness met ZeroDivisionError: ours"),
    ],
    ids=["late", "failed", "diverged", "a lie", "a full disk", "no process", "our own fault"],
)
def test_whatever_ends_a_cell_is_its_status_and_reason(play, error, status, reason):
    result = play(raising(error))
    assert (result.status, result.reason) == (status, reason)


def test_what_a_cell_cost_is_told_although_it_failed(play):
    cost = play(raising(ContractError("nonsense"))).cost
    assert (cost.seconds_train, cost.images_forwarded) == (2.0, 40)
    assert (cost.device, cost.concurrent_cells) == ("cuda", 3)


def test_what_options_stand_at_that_were_not_set_is_recorded(play):
    assert play(raising(ContractError("nonsense"))).defaults == {"gain": 2.0}


def test_our_own_fault_is_in_the_cell_s_log_with_its_traceback(play, tmp_path):
    play(raising(ZeroDivisionError("ours")))
    [log] = tmp_path.rglob("*.log")
    assert "Traceback" in log.read_text()
    assert "ZeroDivisionError: ours" in log.read_text()


def test_data_that_changed_since_the_plan_are_not_trained_on(play):
    def untouched(given):
        raise AssertionError

    result = play(untouched, DataIdentity("a", "b", "other"))
    assert result.status == "killed"
    assert "the data are not those that the cell was planned with" in result.reason
