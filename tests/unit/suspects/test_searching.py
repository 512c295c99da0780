import dataclasses
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest
import torch

from benchbase.api import Checkpoint, Weighter
from benchbase.errors import PluginError, UsageError
from benchbase.suspects import searching
from benchbase.suspects.noise import Noise
from benchbase.suspects.rankings import ESTIMATED, EXPLAINED, LOSS, VARIANCE, ranks
from benchbase.suspects.searching import Findings, Search
from tests.unit.suspects.conftest import entry


class Here(Executor):
    """Stands for the pool: does the work at once, in this process."""

    def __init__(self, *arguments, **settings):
        pass

    def submit(self, fn, /, *args, **kwargs):
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except PluginError as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr(searching, "processes", Here)


def method(name, weigh, needs=()):
    class Method(Weighter):
        def fit(self, task):
            yield Checkpoint(task.build_model(), weights=weigh(task))

    Method.name = name
    return entry(Method, needs)


def broken(task):
    raise RuntimeError("no such thing")


def test_every_ranking_is_made_and_measured_and_wrong_labels_come_first(images, school):
    said: list[str] = []
    methods = [
        method("flat", lambda task: torch.ones(len(task.train))),
        method("rows", lambda task: torch.arange(len(task.train)).float()),
        method("broken", broken),
        method("silent", lambda _task: None),
        method("greedy", broken, needs=("trusted",)),
        dataclasses.replace(method("yardstick", broken), summary="Control: anything."),
        method("knowing", broken, needs=("truth",)),
    ]
    findings = Search(school, images, workers=1, say=said.append).run(methods)
    assert findings.scores.keys() == {*EXPLAINED, "weights of rows"}
    assert findings.measured.keys() == findings.scores.keys()
    assert findings.left_out.keys() == {
        f"weights of {name}" for name in ("flat", "broken", "silent", "greedy")
    }
    assert findings.left_out["weights of greedy"] == "only run grants what it needs: trusted"
    assert findings.left_out["weights of silent"] == "it gives no weights"
    assert "no such thing" in findings.left_out["weights of broken"]
    assert ranks(findings.scores[ESTIMATED])[[3, 10]].max() <= 3
    assert findings.places == (4,)


def test_what_does_not_fit_the_time_is_left_out_by_name(images, school, monkeypatch):
    monkeypatch.setattr(Search, "_fits", lambda self, networks: False)
    findings = Search(school, images, workers=1, say=str).run([method("rows", broken)])
    assert findings.left_out.keys() == {LOSS, VARIANCE, "weights of rows"}
    assert set(findings.left_out.values()) == {searching.NO_TIME}


def test_without_time_for_the_first_look_there_is_no_answer(images, school):
    late = dataclasses.replace(school, deadline=0)
    with pytest.raises(UsageError, match="--budget"):
        Search(late, images, workers=1, say=str).run([])


def test_the_ranking_that_found_most_is_the_best(images):
    scores = dict.fromkeys(("first", "second"), np.zeros(48))
    findings = Findings(images, Noise(np.zeros(48), images.labels, np.eye(2) / 2), scores)
    assert findings.best == "first"
    findings.measured = {"first": [0.5], "second": [0.7]}
    assert findings.best == "second"
