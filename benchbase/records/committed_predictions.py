"""The committed predictions of a leaderboard: what anyone can compute its scores from again.

``predictions/SCENARIO/METHOD.npz`` holds, for each attempt, the answers of every checkpoint that a
rule used, and the logits in half precision of the last one, or of all where the board ranks by a
score that needs them. ``labels.npz`` beside it holds the labels of each draw of the data. numpy
reads them; nothing is pickled, and the same content is the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.boards.conditions import scenario_text
from benchbase.cell import Spec, content_hash
from benchbase.errors import StoreError, UsageError
from benchbase.files import replace_file
from benchbase.records.committed import file_name
from benchbase.records.predictions import Predictions, read_predictions
from benchbase.records.record import Record

FOLDER = "predictions"
LABELS = "labels.npz"
_LONGEST_NAME = 80


@dataclass(frozen=True, eq=False)
class Answers:
    """What the scores of one attempt are computed from, beside the labels."""

    checkpoints: NDArray[np.int64]
    """Those that a rule used; the last one is the attempt's last."""
    test: NDArray[np.uint8]
    """The class that each checkpoint gives each test image: shape (images, checkpoints)."""
    validation: NDArray[np.uint8]
    logits: NDArray[np.float16]
    """For test images, of the last checkpoints: shape (these checkpoints, images, classes)."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together.

        Raises:
            ValueError: says which do not.
        """
        count = len(self.checkpoints)
        answers = self.test, self.validation
        if any(each.ndim != 2 or each.shape[1] != count for each in answers):
            raise ValueError(f"expected the answers of {count} checkpoints")
        if self.logits.ndim != 3 or not 1 <= len(self.logits) <= count:
            raise ValueError(f"expected the logits of 1 to {count} checkpoints")

    @classmethod
    def of(cls, kept: Predictions, *, all_logits: bool) -> Answers:
        """Take from what a cell kept what is committed of it."""
        smallest = np.min_scalar_type(kept.test_logits.shape[-1] - 1)
        return cls(
            np.array(kept.checkpoints),
            kept.test_logits.argmax(axis=2).T.astype(smallest),
            kept.validation_logits.argmax(axis=2).T.astype(smallest),
            kept.test_logits if all_logits else kept.test_logits[-1:],
        )

    def logits_at(self, index: int) -> NDArray[np.float16] | None:
        """Give the logits of a checkpoint, counted among those here; None where there are none."""
        index -= len(self.checkpoints) - len(self.logits)
        return self.logits[index] if index >= 0 else None


@dataclass(frozen=True, eq=False)
class Truth:
    """The labels that answers are compared with."""

    test: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    """As observed."""
    validation_true: NDArray[np.uint8]

    @classmethod
    def of(cls, kept: Predictions) -> Truth:
        """Take the labels from what a cell kept."""
        smallest = np.min_scalar_type(kept.test_logits.shape[-1] - 1)
        labels = kept.test_labels, kept.validation_labels, kept.validation_true
        return cls(*(each.astype(smallest) for each in labels))


Entry = TypeVar("Entry", Answers, Truth)


class CommittedPredictions:
    """The predictions beside a leaderboard's results."""

    def __init__(self, folder: Path) -> None:
        """Open those of the leaderboard in ``folder`` (there may be none yet)."""
        self.folder = folder / FOLDER
        self._known: dict[Path, dict[str, Any]] = {}

    def answers(self, record: Record) -> Answers | None:
        """Give what is committed of an attempt; None where nothing is.

        Raises:
            StoreError: the file is damaged.
        """
        return self._read(self._path(record.spec), Answers).get(attempt_name(record))

    def truth(self, record: Record) -> Truth | None:
        """Give the labels that an attempt was judged by; None where they are not committed.

        Raises:
            StoreError: the file is damaged.
        """
        return self._read(self._path(record.spec).with_name(LABELS), Truth).get(data_name(record))

    def add(self, records: Iterable[Record], home: Path, *, all_logits: bool) -> list[Path]:
        """Add what attempts at one method and scenario kept in this home; give what changed.

        Nothing is written where one of them is neither there nor in the home: all seeds or none.

        Raises:
            StoreError: a committed file is damaged, or cannot be written.
        """
        lacking = [
            record
            for record in records
            if (known := self.answers(record)) is None
            or (all_logits and len(known.logits) < len(known.checkpoints))
        ]
        try:
            found = [(record, read_predictions(record, home)) for record in lacking]
        except (UsageError, StoreError):
            return []
        new: dict[Path, dict[str, Any]] = {}
        for record, kept in found:
            path = self._path(record.spec)
            answers = Answers.of(kept, all_logits=all_logits)
            new.setdefault(path, {})[attempt_name(record)] = answers
            if self.truth(record) is None:
                truth = {data_name(record): Truth.of(kept)}
                new.setdefault(path.with_name(LABELS), {}).update(truth)
        for path, entries in new.items():
            kind = Truth if path.name == LABELS else Answers
            self._known[path] = {**self._read(path, kind), **entries}
            replace_file(path, _packed(self._known[path]))
        return sorted(new)

    def _read(self, path: Path, kind: type[Entry]) -> dict[str, Entry]:
        if path not in self._known:
            self._known[path] = _unpacked(path, kind) if path.exists() else {}
        return self._known[path]

    def _path(self, spec: Spec) -> Path:
        """Name the file of all that differs in seed and data only."""
        whole: dict[str, Any] = msgspec.to_builtins(spec)
        digest = content_hash({name: it for name, it in whole.items() if name not in _INSIDE})
        under = f"{spec.scenario.data} {scenario_text(spec.scenario)}"
        method, scenario = (
            file_name(text)[:_LONGEST_NAME] for text in (spec.weighter.label, under)
        )
        return self.folder / scenario / f"{method}-{digest[:8]}.npz"


_INSIDE = ("seed", "data")


def lost_entries(before: Path, now: Path) -> Iterator[str]:
    """Say what of a board's predictions is not as it was; entries may be added.

    Raises:
        StoreError: a file is damaged.
    """
    for path in sorted((before / FOLDER).glob("*/*.npz")):
        kind: type[Any] = Truth if path.name == LABELS else Answers
        here = now / path.relative_to(before)
        found = _unpacked(here, kind) if here.exists() else {}
        for name, entry in _unpacked(path, kind).items():
            if name not in found or not _same(entry, found[name]):
                yield f"{here}: the entry {name[:12]} is not as it was: entries are only added"


def _same(one: Any, other: Any) -> bool:
    return all(np.array_equal(array, vars(other)[part]) for part, array in vars(one).items())


def attempt_name(record: Record) -> str:
    """Name an attempt's entry."""
    return f"{record.key} {record.attempt}"


def data_name(record: Record) -> str:
    """Name the entry of the labels that an attempt was judged by."""
    return content_hash(msgspec.to_builtins(record.spec.data))


def _packed(entries: Mapping[str, Any]) -> bytes:
    """Write entries, sorted by name; the arrays of the first one are called ``0.NAME``."""
    arrays: dict[str, NDArray[Any]] = {"names": np.array(sorted(entries))}
    for number, name in enumerate(sorted(entries)):
        arrays |= {f"{number}.{part}": array for part, array in vars(entries[name]).items()}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _unpacked(path: Path, kind: type[Entry]) -> dict[str, Entry]:
    parts = [field.name for field in fields(kind)]
    try:
        with np.load(path, allow_pickle=False) as file:
            return {
                name: kind(**{part: file[f"{number}.{part}"] for part in parts})
                for number, name in enumerate(file["names"].tolist())
            }
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{path}: cannot be read as predictions ({error!r}); restore it from git"
        ) from error
