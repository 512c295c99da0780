"""Which code made the records of a home and of the boards here, without reading the rest of them.

``benchbase list`` is quick, and a home may hold thousands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchbase.records.home import Home


class _Weighter(msgspec.Struct):
    name: str
    distribution: str
    version: str


class _Scenario(msgspec.Struct):
    backbone: str


class _Spec(msgspec.Struct):
    weighter: _Weighter
    scenario: _Scenario
    backbone_source: str


class _Provenance(msgspec.Struct):
    source: str = ""
    backbone_source: str = ""


class Glimpse(msgspec.Struct):
    """The part of a record that says which code it is of, by its key and in fact."""

    spec: _Spec
    provenance: _Provenance


def glimpses(home: Home, boards: Path) -> Iterator[Glimpse]:
    """Give those of a home, and of the boards in a folder that are not frozen.

    What cannot be read is left out: whoever needs it whole says why.
    """
    for path in sorted(home.records.glob("??/*/*.json")):
        yield from _read(path)
    for board in sorted(boards.glob("*/board.toml")):
        if not _is_frozen(board):
            for path in sorted(board.parent.glob("results/*/*.jsonl")):
                yield from _read(path)


def _read(path: Path) -> Iterator[Glimpse]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=Glimpse)
        except msgspec.MsgspecError:
            continue


def _is_frozen(board: Path) -> bool:
    try:
        return bool(tomllib.loads(board.read_text(encoding="utf-8")).get("frozen"))
    except (OSError, ValueError):
        return True
