"""The result store: one immutable JSON file an attempt, below the home folder."""

from __future__ import annotations

import gc
import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchbase.cell import FINISHED, canonical_json
from benchbase.files import create_file, replace_file
from benchbase.records.home import Home
from benchbase.records.record import Record, as_json, record_text
from benchbase.records.validation import parse_record

logger = logging.getLogger(__name__)

RESCORED = ("metrics", "metric_versions", "chosen", "curves")
"""What ``rescore`` replaces."""


def new_attempt() -> str:
    """Name an attempt; names sort by the time at which they were given."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"


def counting_attempt(attempts: Iterable[Record]) -> Record | None:
    """Choose the attempt of one cell that counts: the first ok one, else the first finished one.

    Never the last and never the best, so that running again cannot improve a score. An untrusted
    attempt (``--executor inline``) counts only where there is no trusted one.
    """
    finished = [record for record in attempts if record.status in FINISHED]
    if len(finished) == 1:
        return finished[0]
    return min(
        finished,
        key=lambda record: (not record.trusted, record.status != "ok", record.attempt),
        default=None,
    )


@contextmanager
def collection_paused() -> Iterator[None]:
    """Keep Python's cycle collector out of a block that makes or walks very many records.

    Records hold no cycles; looking for some among a million small objects doubles the time. What
    the block made counts as old afterwards, and is not looked through at once.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.unfreeze()  # together they move everything to the oldest generation
            gc.enable()


class Store:
    """The records of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def write(self, record: Record) -> Path:
        """Write one attempt for good; an existing file is never touched.

        Raises:
            StoreError: the folder cannot be written to, the disk is full, the attempt exists
                already, or a number of the record is not finite.
        """
        path = self.home.record(record.key, record.attempt)
        create_file(path, record_text(record))
        return path

    def rescore(self, record: Record) -> None:
        """Keep scores that were computed again, beside the attempt, which stays as it is.

        Whoever reads the attempt is given them. Nothing is kept of an attempt from elsewhere.

        Raises:
            StoreError: the folder cannot be written to, or the disk is full.
        """
        key, attempt = record.key, record.attempt
        if self.home.record(key, attempt).exists():
            whole = as_json(record)
            later = {name: whole[name] for name in RESCORED}
            replace_file(self.home.later_scores(key, attempt), canonical_json(later))

    def attempts(self, key: str) -> list[Record]:
        """Read all attempts of a cell, the first one first."""
        found = [_read(path, later) for path, later in self.home.attempt_files(key)]
        return [record for record in found if record is not None]

    def finished(self, key: str) -> Record | None:
        """Give the attempt that counts, or None where the cell is still to be run.

        A cell that was only run in one process (``--executor inline``) is still to be run.
        """
        return counting_attempt(record for record in self.attempts(key) if record.trusted)

    @collection_paused()
    def records(self) -> list[Record]:
        """Read every attempt; a file that cannot be read is named in the log and left alone."""
        return [record for key in self.home.attempted() for record in self.attempts(key)]


def _read(path: Path, later: Path | None) -> Record | None:
    """Read an attempt and what was scored again of it; None, and a warning, where that fails."""
    try:
        text = path.read_bytes()
        if later is not None:
            scores = json.loads(later.read_bytes())
            text = canonical_json({**json.loads(text), **scores}).encode()
        record = parse_record(text)
        if (record.key, record.attempt) == (path.parent.name, path.stem):
            return record
        problem = "its file is named after another cell or attempt"
    except (OSError, ValueError) as error:
        problem = str(error) or type(error).__name__
    logger.warning("skipped the unreadable record %s (%s); the file is left alone", path, problem)
    return None
