"""What came of training a stored cell again, and the lines that say so beside the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from benchbase.errors import StoreError
from benchbase.files import replace_file
from benchbase.records.committed import slim
from benchbase.records.committed_predictions import Answers
from benchbase.records.record import Record

FILE = "replays.jsonl"
SCHEMA: Final = "benchbase-replay-1"

SAME: Final = "bit for bit"
WITHIN: Final = "within the seed spread"
BEYOND: Final = "beyond the seed spread"
OTHER_BITS: Final = "other bits"
NOT_OK: Final = "did not finish"
Outcome = Literal[
    "bit for bit", "within the seed spread", "beyond the seed spread", "other bits",
    "did not finish",
]  # fmt: skip


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One replay of one attempt, immutable once written; who and when are as claimed."""

    schema: Literal["benchbase-replay-1"] = SCHEMA
    key: str
    attempt: str
    """Of the record that was replayed."""
    outcome: Outcome
    recorded: float
    """Under the board's rule and metric."""
    replayed: float | None
    tolerance: float
    """Largest difference that counts as the same where the surroundings differ."""
    differing: list[str]
    """What differs of versions and machine: ``torch 2.15.0, here 2.16.0``."""
    by: str
    finished: float

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: says what does.
        """
        if not self.by:
            raise ValueError("by: expected who replayed, got nothing")
        if self.tolerance < 0:
            raise ValueError(f"tolerance: expected 0 or more, got {self.tolerance!r}")
        gap = None if self.replayed is None else abs(self.recorded - self.replayed)
        follows = {
            SAME: gap == 0,
            WITHIN: gap is not None and gap <= self.tolerance and bool(self.differing),
            BEYOND: gap is not None and gap > self.tolerance and bool(self.differing),
            OTHER_BITS: gap is not None and not self.differing,
            NOT_OK: True,
        }
        if not follows[self.outcome]:
            raise ValueError(
                f"outcome: {self.outcome!r} does not follow from {self.recorded!r} recorded, "
                f"{self.replayed!r} replayed, a tolerance of {self.tolerance!r} and "
                f"{len(self.differing)} things that differ"
            )

    @property
    def holds(self) -> bool:
        """Whether the record is borne out."""
        return self.outcome in (SAME, WITHIN)


def surroundings_differ(stored: Record, today: Record) -> list[str]:
    """Say what may round differently; the same bits are owed only where nothing does."""
    before, after = _surroundings(stored), _surroundings(today)
    return [
        f"{name} {before.get(name, 'unknown')}, here {after.get(name, 'unknown')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _surroundings(record: Record) -> dict[str, str]:
    provenance = record.provenance
    return {
        **provenance.versions,
        "python": provenance.python,
        "system": provenance.system,
        "device": record.cost.device,
        "GPUs": ", ".join(provenance.gpus) if record.cost.device != "cpu" else "",
        "CPU capability": record.numerics.cpu_capability,
    }


def same_bits(
    stored: Record, today: Record, answers: Answers | None, answers_today: Answers | None
) -> bool:
    """Tell whether two attempts are the same in all that is computed."""
    computed = (
        *("metrics", "metric_versions", "selected", "chosen", "curves", "weights"),
        *("relabelling", "corruption", "grants", "training"),
    )
    one, other = (_without_card(slim(record)) for record in (stored, today))
    if any(getattr(one, name) != getattr(other, name) for name in computed):
        return False
    if answers is None or answers_today is None:
        return True
    count = len(answers.logits)
    logits = answers_today.logits[-count:]
    return (
        np.array_equal(answers.test, answers_today.test)
        and np.array_equal(answers.validation, answers_today.validation)
        and np.array_equal(answers.logits, logits)
    )


def _without_card(record: Record) -> Record:
    """Leave out what a data set says of itself, which no result depends on."""
    if record.corruption is None:
        return record
    return replace(record, corruption=replace(record.corruption, card={}))


def judge_replay(
    stored: Record,
    today: Record,
    *,
    equal: bool,
    scores: tuple[float, float | None],
    tolerance: float,
    by: str,
) -> Replay:
    """Say what a replay came to; ``scores`` are the recorded and the replayed one."""
    recorded, replayed = scores
    differing = surroundings_differ(stored, today)
    outcome: Outcome
    if today.status != "ok" or replayed is None:
        outcome = NOT_OK
    elif equal:
        outcome = SAME
    elif not differing:
        outcome = OTHER_BITS
    else:
        outcome = WITHIN if abs(recorded - replayed) <= tolerance else BEYOND
    return Replay(
        key=stored.key,
        attempt=stored.attempt,
        outcome=outcome,
        recorded=recorded,
        replayed=replayed,
        tolerance=tolerance,
        differing=differing,
        by=by,
        finished=today.provenance.finished,
    )


def read_replays(folder: Path) -> list[Replay]:
    """Read the replays that lie in a folder of records; there may be none.

    Raises:
        StoreError: a line cannot be read; the message names the file and the line.
    """
    path = folder / FILE
    return replays_in(path) if path.exists() else []


def replays_in(path: Path) -> list[Replay]:
    """Read the replays of a file.

    Raises:
        StoreError: a line cannot be read; the message names the file and the line.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(msgspec.json.decode(line, type=Replay))
        except msgspec.DecodeError as error:
            raise StoreError(
                f"{path}, line {number}: not a replay ({error}); restore the line from git"
            ) from error
    return found


def add_replays(folder: Path, replays: Iterable[Replay]) -> Path:
    """Add lines; those that are there stay as they are.

    Raises:
        StoreError: the file cannot be read or written.
    """
    whole: Sequence[Replay] = [*read_replays(folder), *replays]
    path = folder / FILE
    replace_file(path, b"".join(msgspec.json.encode(one) + b"\n" for one in whole).decode())
    return path
