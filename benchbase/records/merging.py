"""Brings the attempts of several homes together in one, as after a sweep in shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchbase.errors import StoreError
from benchbase.files import create_file
from benchbase.records.home import Home
from benchbase.records.store import Store


@dataclass(frozen=True)
class Merged:
    """What one home brought."""

    added: int
    known: int
    """Attempts that were there already."""


def merge_home(source: Home, target: Home) -> Merged:
    """Copy every attempt with its predictions and later scores; nothing in ``target`` changes.

    A file that cannot be read is named in the log and left out. What stops half-way is finished
    by doing it again.

    Raises:
        StoreError: the target cannot be written to, or holds another attempt of the same name.
    """
    added = known = 0
    for record in Store(source).records():
        key, attempt = record.key, record.attempt
        if target.record(key, attempt).exists():
            if _differs(source.record(key, attempt), target.record(key, attempt)):
                raise StoreError(
                    f"{target.record(key, attempt)}: differs from the same attempt in "
                    f"{source.path}: one of them was changed; restore it, or merge without it"
                )
            known += 1
            continue
        # The record last: whoever finds it finds what it names.
        for file in (Home.predictions, Home.later_scores, Home.record):
            _copy(file(source, key, attempt), file(target, key, attempt))
        added += 1
    return Merged(added, known)


def _differs(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()


def _copy(path: Path, target: Path) -> None:
    if path.exists() and not target.exists():
        create_file(target, path.read_bytes())
