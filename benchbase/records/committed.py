"""The committed records of a leaderboard: JSONL in its folder, in a slim form, for git."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchbase.cell import FINISHED
from benchbase.errors import StoreError
from benchbase.files import replace_file
from benchbase.records.decoding import NewerRecordError
from benchbase.records.record import Record, record_text
from benchbase.records.store import collection_paused, counting_attempt
from benchbase.records.validation import parse_record


class Committed:
    """The records that a leaderboard is built from: ``results/<data set>/<weighter>.jsonl``."""

    def __init__(self, folder: Path) -> None:
        """Open the results of the leaderboard in ``folder`` (there may be none yet)."""
        self.folder = folder / "results"
        self._parsed: dict[Path, tuple[bytes, list[Record]]] = {}
        """File -> the digest of what was read, and what that says."""

    @functools.cached_property
    def _by_key(self) -> dict[str, list[Record]]:
        by_key: dict[str, list[Record]] = {}
        with collection_paused():
            for path in sorted(self.folder.glob("*/*.jsonl")):
                for _, record in self._lines(path):
                    attempts = by_key.setdefault(record.key, [])
                    if record not in attempts:  # the same line twice says it once
                        attempts.append(record)
        return by_key

    def records(self) -> list[Record]:
        """Give all of them.

        Raises:
            StoreError: a line cannot be read; the message names the file and the line.
        """
        return [record for records in self._by_key.values() for record in records]

    def finished(self, key: str) -> Record | None:
        """Give the attempt that counts, or None where there is none."""
        return counting_attempt(self._by_key.get(key, []))

    def merge(self, records: Iterable[Record]) -> list[Path]:
        """Add finished, trusted attempts that are not there yet; give the files that changed.

        A committed line is never altered, so the files only ever gain lines.

        Raises:
            StoreError: a file cannot be read or written.
        """
        given: dict[Path, list[Record]] = {}
        for record in records:
            if record.status in FINISHED and record.trusted:
                given.setdefault(self._path(record), []).append(record)
        changed = []
        for path, found in sorted(given.items()):
            before = self._lines(path) if path.exists() else ()
            lines = {(record.key, record.attempt): line for line, record in before}
            new = {
                (record.key, record.attempt): record_text(slim(record)).strip().encode()
                for record in found
                if (record.key, record.attempt) not in lines
            }
            if new:
                lines |= new
                replace_file(path, b"".join(lines[place] + b"\n" for place in sorted(lines)))
                changed.append(path)
        self.__dict__.pop("_by_key", None)
        return changed

    def _lines(self, path: Path) -> Iterator[tuple[bytes, Record]]:
        """Read the lines of a file, each with its record; what is as it was is parsed once."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error}") from error
        lines, digest = content.splitlines(), hashlib.sha256(content).digest()
        known = self._parsed.get(path)
        if known is None or known[0] != digest:
            known = self._parsed[path] = digest, _parse(path, lines)
        return zip(lines, known[1], strict=True)

    def _path(self, record: Record) -> Path:
        spec = record.spec
        dataset = file_name(spec.scenario.dataset)
        return self.folder / dataset / f"{file_name(spec.weighter.name)}.jsonl"


def slim(record: Record) -> Record:
    """Give the form that is committed: without what is bulky or true of one machine only.

    Command line and folders go; curves and transition matrices keep four
    decimals. A leaderboard comes out the same from either form.
    """
    return msgspec.structs.replace(
        record,
        reason=_without_folders(record.reason),
        error=_without_folders(record.error),
        curves=rounded(record.curves),
        corruption=rounded(record.corruption),
        provenance=msgspec.structs.replace(_without_folders(record.provenance), argv=None),
    )


def _parse(path: Path, lines: Iterable[bytes]) -> list[Record]:
    """Parse the lines of a file."""
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(parse_record(line))
        except NewerRecordError as error:
            raise StoreError(f"{path}, line {number}: {error}") from error
        except ValueError as error:
            raise StoreError(
                f"{path}, line {number}: not a record ({error}); restore the line from git, or "
                "delete it to have the cell run again"
            ) from error
    return records


def file_name(name: str) -> str:
    """Write a name as a file may be called."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "unnamed"


def _without_folders(value: Any) -> Any:
    """Cut the folders off every absolute path in the texts of ``value``."""
    return _mapped(value, lambda text: re.sub(r"(?<![\w:/.])/(?:[^\s/\"':,]+/)+", "", text), str)


def rounded(value: Any) -> Any:
    """Round every float in a block to the four decimals that are committed."""
    return _mapped(value, lambda number: round(number, 4), float)


def _mapped(value: Any, change: Callable[[Any], Any], kind: type) -> Any:
    """Change every value of a kind in a block of a record."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change, kind) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change, kind) for item in value]
    if isinstance(value, msgspec.Struct):
        parts = msgspec.structs.asdict(value).items()
        return type(value)(**{name: _mapped(part, change, kind) for name, part in parts})
    return value
