"""What the parent knows of a cell goes on with it, and labels are counted once and for all."""

from __future__ import annotations

import dataclasses
import os

import msgspec
import numpy as np
import pytest

from benchbase.errors import ContractError
from benchbase.judging.judge import Judge
from benchbase.judging.steps import Counted
from benchbase.records.home import Home
from benchbase.running.journal import Heard, Journal
from benchbase.running.messages import Checkpoint, Spent
from benchbase.running.settings import Settings
from tests.unit.jobs import make_job
from tests.unit.made_records import PROVENANCE
from tests.unit.small_opened import make_opened

COUNTED = Counted((3,), 3, "digest", 12, None)


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path, Home(tmp_path), 9.0, 1, PROVENANCE)


@pytest.fixture
def opened(tmp_path, settings):
    """Open the journal of one cell, as each run that meets it does."""

    def at(job=None, device="cpu"):
        return Journal(tmp_path / "unfinished", job or make_job("plain"), device, settings)

    return at


def judged(journal, tmp_path, snapshot=None, bought=None):
    pending = tmp_path / "pending"
    if snapshot is not None:
        pending.write_bytes(snapshot)
    weights = np.array([1, np.nan, 0, 2], np.float32).tobytes()
    message = Checkpoint(notes={"loss": 0.5}, counted=COUNTED, parameters=7, spent=Spent())
    logits = np.linspace(-8, 0, 16, dtype=np.float32).reshape(8, 2)
    journal.add(Heard.of(message, weights, logits, bought), pending)


def test_without_a_snapshot_nothing_is_written(opened, tmp_path):
    journal = opened()
    judged(journal, tmp_path)
    assert not (tmp_path / "unfinished").exists()
    assert opened().snapshot is None


def test_what_was_judged_up_to_the_last_snapshot_is_known_again(opened, tmp_path):
    journal = opened()
    for snapshot in (None, b"first", None, b"second", None):
        judged(journal, tmp_path, snapshot)
    again = opened()
    assert again.snapshot is not None
    assert again.snapshot.read_bytes() == b"second"
    assert again.heard == journal.heard[:4]
    assert len([*(tmp_path / "unfinished").iterdir()]) == 2
    one, other = (Judge(make_opened(), epochs=4) for _ in range(2))
    again.tell(one)
    for heard in journal.heard[:4]:
        logits = np.frombuffer(heard.logits, np.float16).reshape(8, 2).astype(np.float32)
        weights = np.frombuffer(heard.weights, np.float32)
        other.hear(logits, weights, heard.notes, heard.counted)
    assert msgspec.json.encode(one.conclude()) == msgspec.json.encode(other.conclude())


def test_time_and_work_go_on(opened, tmp_path):
    journal = opened()
    journal.costs.train, journal.costs.judged, journal.costs.began = 5.0, 8, -100.0
    judged(journal, tmp_path, b"snapshot")
    again = opened().costs
    assert (again.train, again.judged) == (5.0, 8)
    assert again.total > 100


def test_lives_are_counted_also_where_one_begins_anew(opened, tmp_path):
    journal = opened()
    judged(journal, tmp_path, b"snapshot")
    again = opened()
    assert (journal.costs.lives, again.costs.lives) == (1, 2)
    judged(again, tmp_path, b"another")
    third = opened()
    third.discard()
    assert third.costs.lives == 3
    assert opened().costs.lives == 1, "of what was discarded nothing is known"


@pytest.mark.parametrize("field", ["weighter", "backbone"])
def test_other_code_does_not_go_on(opened, tmp_path, field):
    judged(opened(), tmp_path, b"snapshot")
    job = make_job("plain")
    entry = dataclasses.replace(getattr(job, field), source_hash="another")
    assert opened(dataclasses.replace(job, **{field: entry})).snapshot is None
    assert not (tmp_path / "unfinished").exists()


def test_another_kind_of_device_does_not_go_on(opened, tmp_path):
    judged(opened(device="cuda:0"), tmp_path, b"snapshot")
    assert opened(device="cuda:1").snapshot is not None
    assert opened(device="cpu").snapshot is None


def test_half_a_journal_is_none(opened, tmp_path):
    judged(opened(), tmp_path, b"snapshot")
    path = tmp_path / "unfinished" / "journal"
    path.write_bytes(path.read_bytes()[:-1])
    assert opened().snapshot is None


def test_a_journal_with_a_changed_byte_is_none(opened, tmp_path):
    judged(opened(), tmp_path, b"snapshot")
    path = tmp_path / "unfinished" / "journal"
    content = path.read_bytes()
    logits = np.linspace(-8, 0, 16, dtype=np.float16).tobytes()
    at = content.index(logits)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert opened().snapshot is None


def test_labels_that_were_sold_and_lost_stay_sold(opened, tmp_path):
    journal = opened()
    assert journal.sell([1, 2]) == 2
    judged(journal, tmp_path, b"snapshot", bought=[1, 2])
    assert journal.sell([3]) == 3
    again = opened()
    assert again.bought == {1, 2}
    assert again.sell([1, 2]) == 3
    assert again.sell([3]) == 3
    assert again.bought == {1, 2, 3}
    assert again.sell([0]) == 4


def test_who_begins_anew_has_no_label_back_and_no_time(opened, tmp_path):
    journal = opened()
    journal.sell([1, 2])
    again = opened()
    assert again.snapshot is None, "killed before any snapshot"
    assert again.sell([3]) == 3
    judged(again, tmp_path, b"snapshot", bought=[3])
    again.costs.began -= 100
    again.discard()
    assert again.costs.total > 100
    assert again.sell([4]) == 4
    assert opened().sell([4]) == 4


def test_labels_of_a_lost_life_that_nobody_asks_for_again_end_the_cell(opened, tmp_path):
    opened().sell([1, 2])
    again = opened()
    again.sell([1])
    with pytest.raises(ContractError, match="1 labels were bought before an interruption and not"):
        again.check_asked_again()
    again.sell([2])
    again.check_asked_again()


def test_a_pipe_in_a_snapshot_s_place_is_not_waited_for(opened, tmp_path):
    os.mkfifo(tmp_path / "pending")
    journal = opened()
    judged(journal, tmp_path)
    assert journal.snapshot is None


@pytest.mark.parametrize("line", ["1", "[1", "", "{}"])
def test_a_ledger_that_is_none_ends_nothing(opened, tmp_path, line):
    journal = opened()
    journal.sell([5])
    with (tmp_path / "unfinished" / "ledger").open("a") as file:
        file.write(line)
    assert opened().sell([5]) == 1
