"""Reads what a child says into checked values: it runs a stranger's code and may say anything.

Every function raises ContractError for what no honest child sends, so that the worst a lie can do
is to fail its own cell.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON
from benchbase.errors import ContractError, DivergedError
from benchbase.judging.steps import Counted

MOST_NOTES = 20
LONGEST_TEXT = 20_000
LONGEST_REMARK = 300
SPENT = ("forwarded", "backpropagated", "peak_memory_bytes", "parameters")


def read_failure(message: JSON) -> tuple[str, JSON]:
    """Give the status and the error of a ``failed`` message."""
    status, error = message.get("status"), message.get("error")
    if status not in ("error", "oom", "diverged", "killed") or not isinstance(error, dict):
        raise ContractError(f"the child failed in an unknown way: {message!r:.200}")
    texts = {name: error.get(name) for name in ("type", "message", "traceback")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ContractError(f"the child failed in an unknown way: {message!r:.200}")
    return str(status), {name: str(text)[:LONGEST_TEXT] for name, text in texts.items()}


def read_notes(message: JSON) -> dict[str, float]:
    """Give the figures that a checkpoint reports."""
    notes = message.get("notes")
    if (
        not isinstance(notes, dict)
        or len(notes) > MOST_NOTES
        or not all(_is_number(value) for value in notes.values())
    ):
        raise ContractError(
            f"expected at most {MOST_NOTES} notes, name -> finite number, got {notes!r:.200}"
        )
    return {name[:100]: float(value) for name, value in notes.items()}


def read_spent(message: JSON) -> dict[str, int]:
    """Give the counts of work and memory that a message holds."""
    spent = {name: message[name] for name in SPENT if name in message}
    if not all(_is_count(value) for value in spent.values()):
        raise ContractError(f"expected counts of at least 0, got {spent!r:.200}")
    return spent


def read_counted(message: JSON) -> Counted:
    """Give what a checkpoint says of the work on its networks."""
    counted = message.get("counted")
    try:
        found = msgspec.convert(counted, Counted)
    except msgspec.ValidationError as error:
        raise ContractError(f"expected counts of updates, got {counted!r:.200}: {error}") from None
    if min((*found.updates, found.judged, found.images_with_gradient)) < 0:
        raise ContractError(f"expected counts of at least 0, got {counted!r:.200}")
    difference = found.difference and found.difference[:LONGEST_REMARK]
    return dataclasses.replace(found, digest=found.digest[:32], difference=difference)


def read_rows(message: JSON, num_rows: int) -> list[int]:
    """Give the rows of a ``query`` message."""
    rows = message.get("rows")
    if not isinstance(rows, list) or not all(_is_count(row) and row < num_rows for row in rows):
        raise ContractError(f"the oracle was asked for rows that do not exist: {rows!r:.100}")
    return rows


def read_logits(reply: JSON, blob: bytes, rows: int, num_classes: int) -> NDArray[np.float32]:
    """Give the logits of a ``logits`` message, shape (rows, classes)."""
    shape = reply.get("shape")
    if shape != [rows, num_classes] or len(blob) != 4 * rows * num_classes:
        raise ContractError(
            f"expected logits of shape ({rows} images, {num_classes} classes), got {shape!r:.100}"
        )
    return np.frombuffer(blob, np.float32).reshape(rows, num_classes)


def read_weights(blob: bytes, rows: int) -> NDArray[np.float32] | None:
    """Give the weights that came with a checkpoint, or None where none did.

    Raises:
        DivergedError: a weight is infinite.
    """
    if not blob:
        return None
    if len(blob) != 4 * rows:
        raise ContractError(f"expected {rows} weights, got {len(blob) / 4:g}")
    weights = np.frombuffer(blob, np.float32)
    if np.isinf(weights).any():
        raise DivergedError("a reported weight is infinite; NaN means a row never seen")
    return weights


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
