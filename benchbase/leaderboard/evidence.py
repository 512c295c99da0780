"""What bears a row out beside its own records: predictions to compute it from, and replays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchbase.records.committed_predictions import CommittedPredictions
from benchbase.records.record import Record
from benchbase.records.replays import Replay, read_replays

SELF_REPORTED = "self-reported"
RECOMPUTED = "recomputed"


@dataclass(frozen=True)
class Evidence:
    """What lies beside the records of a leaderboard."""

    with_predictions: frozenset[str] = frozenset()
    """Keys of the records whose predictions are committed."""
    replays: tuple[Replay, ...] = ()

    @classmethod
    def of(cls, folder: Path, records: Iterable[Record]) -> Evidence:
        """Read what there is.

        Raises:
            StoreError: a file is damaged.
        """
        committed = CommittedPredictions(folder)
        known = {record.key for record in records if committed.answers(record) is not None}
        return cls(frozenset(known), tuple(read_replays(folder / "results")))


NONE = Evidence()
"""Of records in a home."""


def evidence_text(records: Iterable[Record], evidence: Evidence) -> str:
    """Say whether the scores of a row can be computed again, and whether cells were replayed.

    ``self-reported``, ``recomputed``, ``recomputed, 3 cells replayed by ANNA (2026-11-26)``.
    """
    finished = {record.key: record.attempt for record in records if record.status == "ok"}
    if not finished:
        return ""
    parts = [RECOMPUTED if finished.keys() <= evidence.with_predictions else SELF_REPORTED]
    replays = [one for one in evidence.replays if finished.get(one.key) == one.attempt]
    for holds, words in ((True, "replayed"), (False, "NOT borne out when replayed")):
        found = [one for one in replays if one.holds == holds]
        if found:
            cells = len({one.key for one in found})
            newest = max(one.finished for one in found)
            who = ", ".join(sorted({one.by for one in found}))
            plural = "s" * (cells != 1)
            parts.append(
                f"{cells} cell{plural} {words} by {who} "
                f"({datetime.fromtimestamp(newest, UTC):%Y-%m-%d})"
            )
    return ", ".join(parts)
