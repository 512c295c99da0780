"""Cells where split and noise are drawn anew: which are trained, under what, and what is kept."""

from __future__ import annotations

import msgspec
import pytest

from benchbase.cell import Cell, content_hash
from benchbase.cli import fresh
from benchbase.cli.retraining import Retraining
from benchbase.leaderboard.leads import Lead
from benchbase.records.home import Home
from benchbase.records.store import Store
from tests.running import installed, make_job
from tests.unit.made_records import make_board, make_record

HOW = Retraining("anna", "cpu", 1, 60.0, (), None, None)


def lead(cache, name, seed):
    specs = [make_job(one, cache, seed=seed).cell.spec for one in (name, "erm")]
    one, beside = (
        msgspec.structs.replace(make_record(), spec=it, key=content_hash(msgspec.to_builtins(it)))
        for it in specs
    )
    return Lead("somewhere", one, beside, 0.1, 0.05)


@pytest.fixture
def trained(monkeypatch):
    """What is asked for is not trained: mwnet comes to no score, all else to 0.8."""
    asked: list[Cell] = []

    def train(jobs, execution, settings, finished):
        asked.extend(job.cell for job in jobs)
        for job in jobs:
            failed = job.cell.weighter.name == "mwnet"
            finished(job, None if failed else make_record(score=0.8))

    monkeypatch.setattr("benchbase.cli.retraining.read_catalogue", lambda *_: installed())
    monkeypatch.setattr(fresh, "train", train)
    return asked


def test_each_method_and_the_reference_beside_it_are_trained_under_one_secret(tmp_path, trained):
    store = Store(Home(tmp_path / "home"))
    leads = [lead(store.home.cache, name, seed) for name, seed in (("focal", 0), ("mwnet", 0))]
    scores = fresh.train_anew(leads, make_board(), tmp_path, store, HOW)
    assert scores == [[0.8, 0.8], [None, 0.8]]
    names = [(cell.weighter.name, cell.seed) for cell in trained]
    assert names == [("focal", 0), ("erm", 0), ("mwnet", 0)], "the reference once"
    [secret] = {cell.data.labels_hash for cell in trained}
    assert secret.startswith("secret:")
    fresh.train_anew(leads, make_board(), tmp_path, store, HOW)
    assert len({cell.data.labels_hash for cell in trained}) == 2, "another one each time"
    assert not [*store.home.records.rglob("*.json")]
