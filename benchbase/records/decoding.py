"""Reads records: of this version's shape, and with the key that their spec hashes to.

The schema's number comes first: what a newer benchbase wrote is never called broken.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from benchbase.cell import (
    DataIdentity,
    Scenario,
    Spec,
    WeighterSpec,
    canonical_json,
    content_hash,
)
from benchbase.records.record import SCHEMA, Record

_SCHEMA_NAME = re.compile(r"benchbase-record-([0-9]{1,9})")


class _Head(Struct):
    schema: str
    spec: msgspec.Raw = msgspec.Raw(b"{}")


class _Sealed(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record whose spec is still text."""

    spec: msgspec.Raw  # type: ignore[assignment]


class _Parts(Struct, forbid_unknown_fields=True):
    """A spec whose parts are still text."""

    protocol: str
    results_version: int
    weighter: msgspec.Raw
    scenario: msgspec.Raw
    data: msgspec.Raw
    backbone_source: str
    numerics: str
    torch: str
    seed: int


T = TypeVar("T")
_PLAIN = ("protocol", "results_version", "backbone_source", "numerics", "torch", "seed")
_SEALED = msgspec.json.Decoder(_Sealed)
_PARTS = msgspec.json.Decoder(_Parts)
_HEAD = msgspec.json.Decoder(_Head)
_RECORD = msgspec.json.Decoder(Record)


def decode_record(text: str | bytes) -> Record:
    """Read the shape of one record; ``validation.parse_record`` reads what may stand in a table.

    Raises:
        ValueError: it is not JSON or not a record of this version; the message says where.
    """
    usual = _as_written_now(text)
    if usual is not None:
        return usual
    try:
        record = _RECORD.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        _check_schema(_head(text).schema)
        raise ValueError(str(error)) from error
    _check_schema(record.schema)
    known = msgspec.to_builtins(record.spec)
    if content_hash(known) != record.key:  # a default may have been added since, and nothing else
        given = json.loads(bytes(_head(text).spec))
        if content_hash(given) != record.key:
            raise ValueError("its key is not the hash of its spec: one of them was changed")
        _refuse_unknown(given, known, "spec")
    return record


def _as_written_now(text: str | bytes) -> Record | None:
    """Read a record as this version writes it; None for any other, which is looked at closely.

    Thousands of records are of a few scenarios, data and weighters: each is read once and shared.
    """
    try:
        sealed = _SEALED.decode(text)
        parts = _PARTS.decode(sealed.spec)
        spec = Spec(
            **{name: getattr(parts, name) for name in _PLAIN},
            weighter=_part(WeighterSpec, bytes(parts.weighter)),
            scenario=_part(Scenario, bytes(parts.scenario)),
            data=_part(DataIdentity, bytes(parts.data)),
        )
    except (ValueError, RecursionError):
        return None
    if sealed.schema != SCHEMA or hashlib.sha256(sealed.spec).hexdigest() != sealed.key:
        return None
    return Record(**{**msgspec.structs.asdict(sealed), "spec": spec})


@functools.lru_cache(maxsize=10_000)
def _part(kind: type[T], text: bytes) -> T:
    """Read a part of a spec.

    Raises:
        ValueError: it is not spelt as this version would spell it: a field is unknown or left out.
    """
    part = msgspec.json.decode(text, type=kind)
    if canonical_json(msgspec.to_builtins(part)).encode() != text:
        raise ValueError(f"not as {kind.__name__} is written")
    return part


def _head(text: str | bytes) -> _Head:
    try:
        return _HEAD.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("too deeply nested for a record") from None


class NewerRecordError(ValueError):
    """A record of a benchbase that is newer than this one."""


def _check_schema(schema: str) -> None:
    if schema == SCHEMA:
        return
    found = _SCHEMA_NAME.fullmatch(schema)
    own = _SCHEMA_NAME.fullmatch(SCHEMA)
    assert own is not None
    if found is None:
        raise ValueError(f"expected the schema {SCHEMA!r}, got {schema!r}"[:200])
    if int(found[1]) > int(own[1]):
        raise NewerRecordError(
            f"it has the schema {schema!r} of a newer benchbase: update benchbase"
        )
    raise ValueError(f"written by an earlier benchbase ({schema}): it counts no more")


def _refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    """Refuse fields that were dropped: dataclasses do not, and another condition is no equal."""
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{where}.{name}: a record has no such field")
        if isinstance(value, dict):
            _refuse_unknown(value, known[name], f"{where}.{name}")
