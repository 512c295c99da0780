"""SHA-256 of files, arrays and texts; those of data files are remembered from run to run."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase.errors import DataError, StoreError
from benchbase.files import replace_file

SETTLED_SECONDS = 2.0
"""A file that was changed less long ago may change again without a later time: not remembered."""

_Stamp = tuple[int, int, int, int]
"""Size, times of the last change to content and entry in nanoseconds, number on its disk."""
_Memory = dict[str, tuple[_Stamp, str]]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content; read once a process unless size or time change.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        return _file_hash(path, _stamp(path))
    except OSError as error:
        raise _unreadable(path, error) from error


def file_hashes(paths: Sequence[Path], memory: Path) -> list[str]:
    """SHA-256 of the content of many files, remembered below the folder ``memory``.

    A file is read again where its size, its times or its place on the disk are others.

    Raises:
        DataError: a file cannot be read.
    """
    if not paths:
        return []
    settled = time.time_ns() - int(SETTLED_SECONDS * 1e9)
    names = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - texts, which are faster
    above = os.path.commonpath([os.path.dirname(name) for name in names])  # noqa: PTH120
    remembered = memory / f"{text_hash(above)[:32]}.json"
    known = _read_memory(remembered)
    stamps = dict(zip(names, map(_stamp_of_data, names), strict=True))
    fresh = [name for name, stamp in stamps.items() if known.get(name, ((), ""))[0] != stamp]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(fresh, pool.map(_read_data, fresh), strict=True))
    new = {it: (stamps[it], found[it]) for it in fresh if max(stamps[it][1:3]) < settled}
    if new:
        # A full or read-only disk costs the next run time, no more.
        with contextlib.suppress(StoreError):
            replace_file(remembered, msgspec.json.encode({**known, **new}))
    return [found[name] if name in found else known[name][1] for name in names]


def _read_memory(path: Path) -> _Memory:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Memory)
    except (OSError, msgspec.DecodeError):
        return {}  # Not there yet, or damaged.


def _stamp(path: str | Path) -> _Stamp:
    status = os.stat(path)  # noqa: PTH116 - texts, which are faster
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _stamp_of_data(name: str) -> _Stamp:
    try:
        return _stamp(name)
    except OSError as error:
        raise _unreadable(name, error) from error


def _read_data(name: str) -> str:
    try:
        return _digest(name)
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(path: str | Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror or error}: mend or remove it")


@functools.cache
def _file_hash(path: Path, _seen: _Stamp) -> str:
    return _digest(path)


def _digest(path: str | Path) -> str:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - texts, which are faster
        return hashlib.file_digest(file, "sha256").hexdigest()


def array_hash(array: NDArray[Any]) -> str:
    """SHA-256 of an array's type, shape and content."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
