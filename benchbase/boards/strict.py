"""What ``--strict`` refuses: data that stand on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterable

from benchbase.boards.plan import Condition
from benchbase.data.cache import prepare
from benchbase.data.contract import DataParts
from benchbase.data.leakage import LEAKS, find_leaks
from benchbase.errors import DataError

EXAMPLES = 3
"""Rows that are named for each kind of leak."""


def refuse_leaks(conditions: Iterable[Condition]) -> None:
    """Refuse data of which a test image, or its patient, is in train too.

    Raises:
        DataError: there are some; the message counts them by kind and names the first rows.
    """
    seen = []
    for condition in conditions:
        parts = condition.parts
        if parts["dataset"] in seen:
            continue
        seen.append(parts["dataset"])
        prepared = prepare(parts["dataset"], parts["roots"], parts["cache"])
        if any(prepared.leakage.get(kind) for kind in LEAKS):
            raise DataError(
                f"--strict: leakage in {condition.scenario.data}: {_told(prepared.parts)} (rows "
                "count from 0, as the data set gives them); remove one side of each, or run "
                "without --strict, which tells of them beside the table"
            )


def _told(parts: DataParts) -> str:
    """Write ``80 training images that are in test too, such as row 4 (9 in test)``."""
    leaks = find_leaks(parts)
    texts = []
    for kind, words in LEAKS.items():
        if pairs := leaks.get(kind):
            other = kind.rpartition("_")[2]
            rows = ", ".join(f"{row} ({there} in {other})" for row, there in pairs[:EXAMPLES])
            texts.append(f"{len(pairs):,} {words}, such as row{'s' * (len(pairs) > 1)} {rows}")
    return "; ".join(texts)
