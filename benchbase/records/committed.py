"""The committed records of a leaderboard: JSONL in its folder, in a slim form, for git."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchbase.cell import FINISHED, JSON, canonical_json
from benchbase.errors import StoreError
from benchbase.files import replace_file
from benchbase.records.record import NewerRecordError, parse_record
from benchbase.records.store import collection_paused, counting_attempt


class Committed:
    """The records that a leaderboard is built from: ``results/<data set>/<weighter>.jsonl``."""

    def __init__(self, folder: Path) -> None:
        """Open the results of the leaderboard in ``folder`` (there may be none yet)."""
        self.folder = folder / "results"

    @functools.cached_property
    def _by_key(self) -> dict[str, list[JSON]]:
        by_key: dict[str, list[JSON]] = {}
        with collection_paused():
            for path in sorted(self.folder.glob("*/*.jsonl")):
                for record in _read_lines(path):
                    by_key.setdefault(record["key"], []).append(record)
        return by_key

    def records(self) -> list[JSON]:
        """Give all of them.

        Raises:
            StoreError: a line cannot be read; the message names the file and the line.
        """
        return [record for records in self._by_key.values() for record in records]

    def finished(self, key: str) -> JSON | None:
        """Give the attempt that counts, or None where there is none."""
        return counting_attempt(self._by_key.get(key, []))

    def merge(self, records: Iterable[JSON]) -> list[Path]:
        """Add finished, trusted attempts that are not there yet; give the files that changed.

        A committed line is never altered, so the files only ever gain lines.

        Raises:
            StoreError: a file cannot be read or written.
        """
        new: dict[Path, dict[tuple[str, str], JSON]] = {}
        for record in records:
            if record["status"] in FINISHED and record["trusted"]:
                path = self._path(record)
                new.setdefault(path, {})[record["key"], record["attempt"]] = slim(record)
        changed = []
        for path, added in sorted(new.items()):
            before = _read_lines(path) if path.exists() else []
            kept = {(record["key"], record["attempt"]): record for record in before}
            lines = [canonical_json(record) for _, record in sorted({**added, **kept}.items())]
            if len(lines) > len(kept):
                replace_file(path, "".join(f"{line}\n" for line in lines))
                changed.append(path)
        self.__dict__.pop("_by_key", None)
        return changed

    def _path(self, record: JSON) -> Path:
        spec = record["spec"]
        dataset = _file_name(spec["scenario"]["dataset"])
        return self.folder / dataset / f"{_file_name(spec['weighter']['name'])}.jsonl"


def slim(record: JSON) -> JSON:
    """Give the form that is committed: without what is bulky or true of one machine only.

    Command line, folders and prediction files go; curves and transition matrices keep four
    decimals. A leaderboard comes out the same from either form.
    """
    provenance = {name: value for name, value in record["provenance"].items() if name != "argv"}
    artefacts = {
        name: {"sha256": value["sha256"]}
        for name, value in record["artefacts"].items()
        if isinstance(value, dict) and "sha256" in value
    }
    return {
        **record,
        "reason": _without_folders(record["reason"]),
        "error": _without_folders(record["error"]),
        "curves": _rounded(record["curves"]),
        "corruption": _rounded(record["corruption"]),
        "artefacts": artefacts,
        "provenance": _without_folders(provenance),
    }


def _read_lines(path: Path) -> list[JSON]:
    records: list[JSON] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
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


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "unnamed"


def _without_folders(value: Any) -> Any:
    """Cut the folders off every absolute path in the strings of ``value``."""
    if isinstance(value, str):
        return re.sub(r"(?<![\w:/.])/(?:[^\s/\"':,]+/)+", "", value)
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
