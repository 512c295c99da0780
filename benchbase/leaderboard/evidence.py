"""What bears a row out beside its own records: predictions that give its scores, and replays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from benchbase.records.committed_predictions import attempt_name
from benchbase.records.record import Record
from benchbase.records.replays import Replay

SELF_REPORTED = "self-reported"
RECOMPUTED = "recomputed"


@dataclass(frozen=True)
class Evidence:
    """What was found when the records of a leaderboard were verified (``verifying``)."""

    recomputed: frozenset[str] = frozenset()
    """Attempts whose scores were computed again from their predictions, and agree."""
    contradicted: frozenset[str] = frozenset()
    """Attempts of which something that was computed again does not agree."""
    replays: tuple[Replay, ...] = ()
    """Of these records."""


NONE = Evidence()
"""Of records in a home."""


def evidence_text(records: Iterable[Record], evidence: Evidence) -> str:
    """Say whether the scores of a row were computed again, and whether cells were replayed.

    ``self-reported``, ``recomputed``, ``recomputed, 3 cells replayed by ANNA (2026-11-26)``.
    """
    records = [*records]
    finished = {record.key: record.attempt for record in records if record.status == "ok"}
    if not finished:
        return ""
    attempts = {attempt_name(record) for record in records if record.status == "ok"}
    parts = [RECOMPUTED if attempts <= evidence.recomputed else SELF_REPORTED]
    refuted = len({attempt_name(record) for record in records} & evidence.contradicted)
    if refuted:
        parts.append(f"{refuted} cell{'s' * (refuted != 1)} NOT borne out when verified")
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
