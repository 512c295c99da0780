"""The parent's side of a cell's conversation, with children that say what a script tells them."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchbase.errors import ContractError
from benchbase.judging.judge import Judge
from benchbase.records.home import Home
from benchbase.running.channel import Channel
from benchbase.running.conversation import CellFailedError, converse
from benchbase.running.executors.contract import Slot
from benchbase.running.executors.limits import Excess
from benchbase.running.executors.sandbox import Shown
from benchbase.running.given import give
from benchbase.running.journal import CannotResumeError, Journal
from benchbase.running.messages import Asked, Given, Go, Message, Spent, Start
from benchbase.running.settings import Progress, Settings
from tests.unit.jobs import make_job
from tests.unit.made_records import PROVENANCE
from tests.unit.small_opened import make_opened

Line = dict[str, Any] | Exception
COUNTED = {
    "updates": [3],
    "judged": 3,
    "digest": "a",
    "images_with_gradient": 12,
    "difference": None,
}
READY = {"type": "ready"}
CHECKPOINT = {
    "type": "checkpoint",
    "notes": {"loss": 0.5},
    "counted": COUNTED,
    "parameters": 7,
    "spent": {"images_forwarded": 12},
}
DONE = {"type": "done", "spent": {"images_forwarded": 24}}
PREDICTED = 8 + 8
"""Four images for validation, four for test, and each a second time."""
LOGITS = {"type": "logits", "shape": [PREDICTED, 2]}


class Script(Channel):
    """Says its lines, one a question; keeps what it was told."""

    def __init__(self, lines: list[Line], folder: Path) -> None:
        self.lines = lines
        self.folder = folder
        self.told: list[Message] = []
        self.handed: list[int] = []
        self.deadline = None
        self.left = b""

    def send(
        self, message: Message, blob: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        self.told.append(message)
        self.handed += descriptors

    def _read(self, count: int) -> bytes:
        if count and not self.left:
            line = self.lines.pop(0)
            if isinstance(line, Exception):
                raise line
            if line["type"] == "checkpoint":  # its files are there before it is told
                (self.folder / "exchange" / "model.pt").write_bytes(b"")
                if "snapshot" in line:
                    (self.folder / "exchange" / "snapshot").write_bytes(b"snapshot")
            text = json.dumps({name: line[name] for name in line if name != "snapshot"}).encode()
            blob = bytes(4 * PREDICTED * 2) if line["type"] == "logits" else b""
            self.left = struct.pack(">II", len(text), len(blob)) + text + blob
        read, self.left = self.left[:count], self.left[count:]
        return read


class Actor:
    """A child that speaks by a script; ends as it is told to."""

    def __init__(self, lines: list[Line], code: int | None, folder: Path) -> None:
        self.channel: Channel = Script(lines, folder)
        self.excess: Excess | None = None
        self.code = code
        self.killed = False

    def exit_code(self, timeout: float) -> int | None:
        return self.code

    def kill(self) -> None:
        self.killed = True


class Play:
    """One conversation: what the trainer and the predictor are to say, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[Progress] = []
        self.judge = Judge(make_opened(), epochs=5)

    def __call__(
        self,
        trainer: list[Line],
        predictor: list[Line] | None = None,
        code: int | None = 0,
        models: Path | None = None,
    ) -> None:
        judged = [line for line in trainer if isinstance(line, dict) and "again" not in line]
        asked = [LOGITS for line in judged if line["type"] == "checkpoint"]
        lines: list[Line] = [READY, *asked]
        self.trainer = Actor(trainer, code, self.folder)
        self.predictor = Actor(lines if predictor is None else predictor, code, self.folder)
        actors = {"trainer": self.trainer, "predictor": self.predictor}

        def start(module: str, log: Path, shown: Shown) -> Actor:
            return actors[module.rpartition(".")[2]]

        job = make_job("plain")
        settings = Settings(
            self.folder,
            Home(self.folder),
            timeout=9.0,
            concurrent_cells=1,
            provenance=PROVENANCE,
            models=models,
            heard=self.heard.append,
        )
        self.journal = Journal(self.folder / "unfinished", job, "cpu", settings)
        self.journal.tell(self.judge)
        converse(
            job=job,
            slot=Slot(0, "cpu", start),
            settings=settings,
            folder=self.folder,
            gift=give(self.judge.opened, job.cell.scenario, 0, frozenset()),
            judge=self.judge,
            journal=self.journal,
            deadline=time.monotonic() + 9.0,
        )


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Give a conversation; whatever came of it, both children are ended."""
    play = Play(tmp_path)
    yield play
    assert play.trainer.killed or not play.trainer.channel.told  # type: ignore[attr-defined]
    assert play.predictor.killed


def test_each_checkpoint_is_predicted_judged_and_put_away_before_the_next(play):
    play([READY, CHECKPOINT, DONE])
    assert play.judge.checkpoints == 1
    maps = play.judge.opened.maps
    for child, kind, role in ((play.trainer, Given, "train"), (play.predictor, Asked, "judged")):
        start, task, *others = child.channel.told
        assert (type(start), type(task), others) == (Start, kind, [Go()])
        assert child.channel.handed == [maps[role].descriptor]
    assert not (play.folder / "exchange" / "model.pt").exists()
    assert play.journal.costs.judged == 8
    costs = play.journal.costs
    assert (costs.spent, costs.parameters) == (Spent(images_forwarded=24), 7)
    assert [progress.notes for progress in play.heard] == [{"loss": 0.5}]


@pytest.fixture
def interrupted(play):
    """Have two checkpoints judged, with a snapshot of the second, before the trainer is killed."""
    with pytest.raises(CellFailedError, match="SIGKILL"):
        play([READY, CHECKPOINT, {**CHECKPOINT, "snapshot": 1}, EOFError()], code=-9)
    play.judge = Judge(make_opened(), epochs=5)
    return play


def test_what_was_judged_before_an_interruption_is_not_judged_again(interrupted):
    interrupted([READY, {**CHECKPOINT, "again": 1}, CHECKPOINT, DONE])
    assert interrupted.judge.checkpoints == 3
    assert interrupted.journal.costs.judged == 3 * 8
    kept = interrupted.trainer.channel.told[0].keep
    assert [one.judged for one in kept.past] == [3, 3]
    assert Path(kept.go_on_from).read_bytes() == b"snapshot"


@pytest.mark.parametrize(
    "lines",
    [
        [{**CHECKPOINT, "again": 1, "notes": {"loss": 0.4}}],
        [{**CHECKPOINT, "again": 1, "counted": {**COUNTED, "updates": [2]}}],
        [{**CHECKPOINT, "again": 1, "counted": {**COUNTED, "digest": "b"}}],
        [{**CHECKPOINT, "again": 1, "spent": {"images_forwarded": 11}}],
        [{**CHECKPOINT, "again": 2}],
        [{**CHECKPOINT, "again": 0}, CHECKPOINT],
        [CHECKPOINT],
        [DONE],
    ],
    ids=["notes", "updates", "model", "work", "too late", "too early", "nothing again", "done"],
)
def test_whoever_comes_back_another_cannot_go_on(interrupted, lines):
    with pytest.raises(CannotResumeError):
        interrupted([READY, *lines])


def test_a_snapshot_that_somebody_wrote_to_is_not_used(interrupted):
    [snapshot] = (interrupted.folder / "unfinished").glob("?" * 64)
    snapshot.write_bytes(b"another")
    interrupted([READY, CHECKPOINT, DONE])
    assert interrupted.judge.checkpoints == 1
    assert not snapshot.exists()


def test_the_last_model_is_kept_where_a_folder_was_given(play, tmp_path):
    play([READY, CHECKPOINT, DONE], models=tmp_path / "models")
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".pt"]


@pytest.mark.parametrize(
    ("line", "code", "status", "reason"),
    [
        (TimeoutError(), None, "timeout", r"stopped after 9 s"),
        (EOFError(), None, "error", "closed its connection and went on"),
        (EOFError(), 0, "error", r"ended by itself \(exit code 0\)"),
        (EOFError(), -9, "killed", "SIGKILL"),
        (EOFError(), -11, "error", r"crashed \(SIGSEGV\)"),
        (
            {"type": "failed", "status": "oom", "error": "E", "message": "m", "traceback": ""},
            0,
            "oom",
            "E: m",
        ),
    ],
    ids=["late", "silent", "gone", "killed", "crashed", "said so"],
)
def test_how_a_child_ended_is_the_cell_s_status(play, line, code, status, reason):
    with pytest.raises(CellFailedError, match=reason) as caught:
        play([READY, line], code=code)
    assert caught.value.status == status


def test_the_predictor_s_end_is_told_like_the_trainer_s(play):
    with pytest.raises(CellFailedError, match="SIGKILL"):
        play([READY, CHECKPOINT], predictor=[READY, EOFError()], code=-9)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([{"type": "go"}], "expected a message ready"),
        ([READY, DONE], "done before its first checkpoint"),
        ([READY, {"type": "query", "rows": [4]}], "rows that do not exist"),
    ],
    ids=["out of turn", "without a checkpoint", "a row too far"],
)
def test_what_no_honest_child_says_fails_the_cell(play, lines, reason):
    with pytest.raises(ContractError, match=reason):
        play(lines)


def test_nothing_is_sold_to_whoever_does_not_declare_it(play):
    with pytest.raises(CellFailedError, match="BudgetError: 1 labels asked for, the budget is 0"):
        play([READY, {"type": "query", "rows": [0]}])


def test_checkpoints_without_end_are_cut_off(play, monkeypatch):
    monkeypatch.setattr("benchbase.running.conversation.CHECKPOINTS_AN_EPOCH", 0)
    with pytest.raises(ContractError, match="more than 0 checkpoints"):
        play([READY, CHECKPOINT])
