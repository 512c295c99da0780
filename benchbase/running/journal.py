"""The parent's side of a cell that goes on after an interruption: what it knows of it by itself.

A snapshot is the trainer's, which runs a stranger's code: it is never loaded here, and nothing is
counted from it. The journal holds what was judged up to the snapshot; what was trained is counted
on from there, and a checkpoint that comes again must be the one that was judged. Labels are noted
before they are handed over. So a method that ends its own process gains nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from benchbase.cell import content_hash
from benchbase.errors import ContractError
from benchbase.files import replace_file
from benchbase.judging.judge import Judge, to_stored
from benchbase.judging.metrics import Logits
from benchbase.judging.steps import Counted
from benchbase.running.executors.contract import Job
from benchbase.running.messages import Checkpoint, Spent
from benchbase.running.settings import Settings


class CannotResumeError(Exception):
    """A cell cannot go on from where it was, and begins anew."""


@dataclass
class Costs:
    """What a cell took; filled in while it goes on, for it may end short."""

    train: float = 0.0
    judge: float = 0.0
    judged: int = 0
    spent: Spent = field(default_factory=Spent)
    parameters: int | None = None
    earlier: float = 0.0
    """Seconds in all before an interruption."""
    lives: int = 1
    """Runs that went on from one another, this one included."""
    began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> float:
        """Seconds so far."""
        return self.earlier + time.monotonic() - self.began

    def gone_on(self) -> Costs:
        """Give what this process counts on from."""
        return dataclasses.replace(self, began=time.monotonic(), lives=self.lives + 1)

    def kept(self) -> Costs:
        """Give what another process goes on from."""
        return dataclasses.replace(self, earlier=self.total, began=0.0)


class Heard(msgspec.Struct, frozen=True):
    """One checkpoint as the trainer reported it, and the logits that it was judged by."""

    notes: dict[str, float]
    counted: Counted
    spent: Spent
    weights: bytes
    """Float32, one a row; none where none were reported."""
    logits: bytes
    """In the stored form: validation, then test images."""
    bought: list[int] | None
    """Rows that were bought so far; None where no labels are for sale."""

    @classmethod
    def of(
        cls,
        message: Checkpoint,
        weights: bytes,
        logits: Logits | None = None,
        bought: list[int] | None = None,
    ) -> Heard:
        """Note what a message says; one that comes again has no logits."""
        stored = b"" if logits is None else to_stored(logits).tobytes()
        return cls(message.notes, message.counted, message.spent, weights, stored, bought)

    @property
    def reported(self) -> tuple[object, ...]:
        """What comes again when the checkpoint does."""
        spent = msgspec.structs.replace(self.spent, peak_memory_bytes=None)
        return self.notes, self.counted, spent, self.weights


class _Kept(msgspec.Struct, frozen=True):
    made_by: str
    sha256: str
    """Of the snapshot."""
    costs: Costs
    heard: list[Heard]


class Journal:
    """What is known of a cell so far; it is on disk whenever there is a snapshot."""

    def __init__(self, folder: Path, job: Job, device: str, settings: Settings) -> None:
        """Find what an interrupted run of the same code left of the cell."""
        self._folder = folder
        self._ledger = folder / "ledger"
        code = (job.weighter.source_hash, job.backbone.source_hash, settings.provenance.commit)
        versions = settings.provenance.versions
        self._made_by = content_hash([*code, versions, device.partition(":")[0]])
        self._sold = self._read_ledger()
        """Rows whose labels were handed over, also by what came after a snapshot and was lost."""
        self.costs = Costs()
        self._begin_anew()
        with contextlib.suppress(Exception):  # whatever is wrong with it, it is no journal
            self._read()
        if self.snapshot is None:
            self.discard()

    def _read_ledger(self) -> set[int]:
        """Read what was sold; a line that a crash cut short was never answered."""
        sold: set[int] = set()
        with contextlib.suppress(OSError, ValueError):
            for line in self._ledger.read_text().splitlines():
                sold.update(msgspec.json.decode(line, type=list[int]))
        return sold

    def _begin_anew(self) -> None:
        self.heard: list[Heard] = []
        self.snapshot: Path | None = None
        """From which the cell goes on; None where it begins."""
        self.bought: set[int] = set()
        """Rows whose labels were asked for, by what goes on from the snapshot."""
        self.costs = Costs(earlier=self.costs.total, lives=self.costs.lives)
        self.has_caught_up = True
        """Whether the cell is where it was before the interruption."""

    def _read(self) -> None:
        seal, content = (self._folder / "journal").read_bytes().split(b"\n", 1)
        if seal != _seal(content):
            return  # a byte of it changed, which its shape need not show
        kept = msgspec.msgpack.decode(content, type=_Kept)
        snapshot = self._folder / kept.sha256
        if kept.made_by != self._made_by or _hash(snapshot) != kept.sha256:
            return
        self.bought = set(kept.heard[-1].bought or ())
        self.heard, self.costs = kept.heard, kept.costs.gone_on()
        self.snapshot, self.has_caught_up = snapshot, False

    def discard(self) -> None:
        """Forget what was trained; what was sold stays sold, and the time is spent."""
        if self._sold:
            for path in self._folder.iterdir():
                if path != self._ledger:
                    path.unlink()
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._begin_anew()

    def tell(self, judge: Judge) -> None:
        """Let the judge hear what was judged before the interruption."""
        for one in self.heard:
            logits = np.frombuffer(one.logits, np.float16).astype(np.float32)
            weights = np.frombuffer(one.weights, np.float32) if one.weights else None
            table = logits.reshape(-1, len(judge.opened.classes))
            judge.hear(table, weights, one.notes, one.counted, one.bought)

    def compare(self, index: int, again: Heard) -> None:
        """Hear a checkpoint that comes again.

        Raises:
            CannotResumeError: it is not the one that was judged.
        """
        if index >= len(self.heard) or again.reported != self.heard[index].reported:
            raise CannotResumeError(f"checkpoint {index} is not what it was when it was judged")
        self.has_caught_up = self.has_caught_up or index == len(self.heard) - 1

    def check_caught_up(self) -> None:
        """Let nothing new come before the last checkpoint that was judged.

        Raises:
            CannotResumeError: something did.
        """
        if not self.has_caught_up:
            raise CannotResumeError("training took another way than before the interruption")

    def sell(self, rows: Collection[int]) -> int:
        """Note labels before they are handed over; give how many were sold in all."""
        self.bought.update(rows)
        if not self._sold.issuperset(rows):
            self._sold.update(rows)
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._ledger.open("a") as file:
                file.write(json.dumps([*rows]) + "\n")
                file.flush()
                os.fsync(file.fileno())
        return len(self._sold)

    def check_asked_again(self) -> None:
        """Let no label be used that was bought before an interruption and never asked for again.

        Raises:
            ContractError: there are such labels.
        """
        if unasked := len(self._sold - self.bought):
            raise ContractError(
                f"{unasked} labels were bought before an interruption and not asked for again: a "
                "run that goes on, or begins anew, must ask for the same ones"
            )

    @property
    def sold(self) -> int:
        """Labels that were sold in all."""
        return len(self._sold)

    def add(self, heard: Heard, pending: Path) -> None:
        """Add a judged checkpoint; take over the snapshot that the trainer made of it, if any."""
        self.heard.append(heard)
        if not pending.is_file() or pending.is_symlink():
            return
        sha256 = _hash(pending)
        self._folder.mkdir(parents=True, exist_ok=True)
        last, self.snapshot = self.snapshot, self._folder / sha256
        pending.replace(self.snapshot)
        kept = _Kept(self._made_by, sha256, self.costs.kept(), self.heard)
        content = msgspec.msgpack.encode(kept)
        replace_file(self._folder / "journal", _seal(content) + b"\n" + content)
        if last is not None and last != self.snapshot:
            last.unlink()


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _hash(path: Path) -> str:
    # A pipe or a link in a file's place is the trainer's doing: neither waited for nor followed.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
