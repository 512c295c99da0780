"""Which executor carries cells out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchbase.errors import UsageError
from benchbase.options import options_of
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.running.executors.contract import Executor
from benchbase.running.workers import choose_executor


@dataclass(frozen=True)
class Queue(Executor):
    """Cells wait for a cluster."""

    partition: str = "short"
    hours: int = 1

    name = "queue"

    def start(self, server, devices):
        raise AssertionError


@pytest.fixture
def catalogue(monkeypatch) -> Catalogue:
    monkeypatch.setattr(Entry, "load", lambda self: Queue)
    source = Source("installed", "anything", "who 1.0")
    return Catalogue(
        (Entry("executors", "queue", source, "who", "1.0", options_of(Queue), "", ""),)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("queue", Queue()),
        ("queue[hours=12]", Queue(hours=12)),
        ("who:queue[partition=long,hours=2]", Queue("long", 2)),
    ],
)
def test_an_executor_has_the_options_that_it_is_named_with(catalogue, text, expected):
    assert choose_executor(text, catalogue) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("queue[hour=2]", "unknown option 'hour'; did you mean hours"),
        ("queue[hours=soon]", "hours: expected int"),
        ("queue[hours=1,2]", "hours"),
    ],
)
def test_options_of_an_executor_are_checked_as_those_of_all_plugins(catalogue, text, says):
    with pytest.raises(UsageError, match=says):
        choose_executor(text, catalogue)
