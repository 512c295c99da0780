"""Decoded data sets, kept once below the cache folder as memory-mapped arrays.

An entry is found by the content of the source files, the data set's own module and its options;
it is written whole and renamed into place, and its arrays are checked against their hashes when a
process first opens it, so that a truncated or edited entry is decoded again.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON, content_hash, format_label
from benchbase.data.asking import ask_files, ask_parts
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.data.hashes import array_hash, file_hash, file_hashes, text_hash
from benchbase.data.leakage import count_leaks
from benchbase.data.parts import GROUPS, PARTS
from benchbase.errors import DataError, RunError
from benchbase.files import lock_file
from benchbase.options import settings_of
from benchbase.sources import OWN_PACKAGE, code_files, helper_files

FORMAT = 2
SPLIT_FILE = "split.csv"
_checked: set[tuple[str, int, int, int]] = set()


@dataclass(frozen=True)
class Prepared:
    """A decoded data set and what was found out about it."""

    parts: DataParts
    fingerprint: str
    """Hash of class names, decoded arrays and what was skipped."""
    leakage: dict[str, int]
    """Kind of leak -> images concerned."""
    folder: Path
    """Where it is kept."""


def prepare(dataset: DataSet, roots: Sequence[Path], cache: Path) -> Prepared:
    """Open the decoded data set; decode it first where the cache has no sound copy.

    Raises:
        DataError: a source file is missing, or not what it claims to be.
        RunError: the cache could not be written.
    """
    folder = cache / "data" / data_key(dataset, roots, cache)[:32]
    prepared = _read(folder)
    if prepared is None:
        with writing(cache), _alone(cache, folder.name) as work:
            if _read(folder) is None:  # nobody prepared it while this process waited
                _write(dataset, roots, folder, work)
        prepared = _read(folder)
    if prepared is None:
        raise RunError(f"{folder} changed while it was written: is another program using it?")
    return prepared


@functools.lru_cache(maxsize=2)
def prepare_once(dataset: DataSet, roots: Sequence[Path], cache: Path, _key: str) -> Prepared:
    """Prepare data once for many conditions; ``_key`` is their ``data_key`` of now."""
    return prepare(dataset, roots, cache)


def data_key(dataset: DataSet, roots: Sequence[Path], cache: Path) -> str:
    """Hash what the decoded arrays depend on, without decoding; hashes of files are remembered."""
    files = ask_files(dataset, roots)
    apart = (*dataset.locations, *dataset.stated)
    settings = settings_of(dataset)
    options = {name: it for name, it in settings.items() if name not in apart}
    located = [name for name in dataset.locations if settings[name]]
    return content_hash(
        {
            "format": FORMAT,
            "files": file_hashes(files, cache / "hashes"),
            # The same table may say which images test, or which were verified.
            "names": [*_names_below(files), *located] if dataset.locations else [],
            "options": options,
            "source": source_hash(type(dataset)),
        }
    )


def _names_below(files: Sequence[Path]) -> list[str]:
    """Name files from the folder that holds them all: a folder of images may be a class."""
    paths = [path.absolute() for path in files]
    above = len(os.path.commonpath([path.parent for path in paths]))
    return [str(path)[above:].lstrip(os.sep) for path in paths]


def source_hash(owner: type) -> str:
    """SHA-256 of the module or package that defines ``owner``, and its name in there.

    With what that imports and nobody installed.
    """
    path = sys.modules[owner.__module__].__file__
    if path is None:
        raise DataError(f"{owner.__qualname__} has no source file: define it in a module")
    _, files = code_files(owner.__module__, Path(path))
    package = owner.__module__.partition(".")[0]
    if package != OWN_PACKAGE:
        files += helper_files(files, package).values()
    return content_hash([owner.__qualname__, *(file_hash(file) for file in files)])


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a failed write below ``folder`` into a RunError that says what to do."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"could not write below {folder}: {error.strerror or error}; free space there, or "
            "choose another folder with --home"
        ) from error


@contextlib.contextmanager
def _alone(cache: Path, name: str) -> Iterator[Path]:
    """Wait until nobody else prepares the same; give the folder to do it in.

    It is deleted afterwards, but stays where the process was interrupted.
    """
    work = cache / "preparing" / name
    lock = cache / "locks" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        if not lock_file(file.fileno(), fcntl.LOCK_EX):
            # No locks here: each works in a folder of its own.
            work = work.with_name(f"{name}-{secrets.token_hex(4)}")
        work.mkdir(parents=True, exist_ok=True)
        try:
            yield work
        except Exception:
            shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work, ignore_errors=True)


def _write(dataset: DataSet, roots: Sequence[Path], folder: Path, work: Path) -> None:
    scratch, entry, replaced = (work / it for it in ("scratch", "entry", "replaced"))
    left_behind = (entry, replaced) if dataset.resumes else (entry, replaced, scratch)
    for path in left_behind:
        shutil.rmtree(path, ignore_errors=True)
    scratch.mkdir(exist_ok=True)
    entry.mkdir()
    parts = ask_parts(dataset, roots, scratch)
    arrays = _arrays(parts)
    for array_name, array in arrays.items():
        np.save(entry / f"{array_name}.npy", array, allow_pickle=False)
    manifest = {
        "data_set": _label(dataset),
        "classes": list(parts.classes),
        "arrays": {array_name: array_hash(array) for array_name, array in arrays.items()},
        "leakage": count_leaks(parts),
        "notes": list(parts.notes),
        "skipped": list(parts.skipped),
        "test_verified": parts.test_verified,
        "split_file": text_hash(parts.split_file),
    }
    (entry / SPLIT_FILE).write_text(parts.split_file, encoding="utf-8")
    (entry / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    folder.parent.mkdir(exist_ok=True)
    # A damaged entry steps aside; one that another process has just finished is as good.
    with contextlib.suppress(FileNotFoundError):
        if _read(folder) is None:
            folder.rename(replaced)
    try:
        entry.rename(folder)
    except OSError:
        if _read(folder) is None:
            raise


def _label(dataset: DataSet) -> str:
    """Name a data set and the options that differ from their defaults, for people."""
    default = settings_of(type(dataset)())
    options = {
        name: value for name, value in settings_of(dataset).items() if value != default[name]
    }
    return format_label(dataset.name, options)


def _arrays(parts: DataParts) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name in PARTS:
        part = getattr(parts, name)
        if part is not None:
            arrays[f"{name}_pixels"] = part.pixels
            arrays[f"{name}_labels"] = part.labels.astype("<i8")
            if part.given is not None:
                arrays[f"{name}_given"] = part.given.astype("<i8")
    for name in GROUPS:
        groups = getattr(parts, name)
        if groups is not None:
            arrays[name] = groups.astype("<i8")
    if parts.verified is not None:
        arrays["verified"] = parts.verified
    if parts.drawn_by is not None:
        arrays["drawn_by"] = parts.drawn_by.astype("<i8")
    return arrays


def _read(folder: Path) -> Prepared | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        arrays = {
            name: _read_array(folder / f"{name}.npy", digest)
            for name, digest in manifest["arrays"].items()
        }
        split_file = (folder / SPLIT_FILE).read_text(encoding="utf-8")
        if text_hash(split_file) != manifest["split_file"]:
            raise ValueError(f"{folder / SPLIT_FILE} is not what was written")
        return _prepared(folder, manifest, arrays, split_file)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError):
        # Missing, cut short or edited: the caller decodes again.
        return None


def _prepared(
    folder: Path, manifest: JSON, arrays: Mapping[str, NDArray[Any]], split_file: str
) -> Prepared:
    def part(name: str) -> Part:
        given = optional(f"{name}_given")
        return Part(arrays[f"{name}_pixels"], np.array(arrays[f"{name}_labels"]), given)

    def optional(name: str) -> NDArray[Any] | None:
        return np.array(arrays[name]) if name in arrays else None

    # What was decoded before images could be skipped does not say it.
    skipped = tuple(manifest.get("skipped", ()))
    printed = {"classes": manifest["classes"], "arrays": manifest["arrays"]}
    printed |= {"skipped": skipped} if skipped else {}
    return Prepared(
        parts=DataParts(
            classes=tuple(manifest["classes"]),
            train=part("train"),
            test=part("test"),
            validation=part("validation") if "validation_pixels" in arrays else None,
            trusted=part("trusted") if "trusted_pixels" in arrays else None,
            groups=optional("groups"),
            test_groups=optional("test_groups"),
            verified=optional("verified"),
            drawn_by=optional("drawn_by"),
            test_verified=manifest.get("test_verified", False),
            notes=tuple(manifest["notes"]),
            split_file=split_file,
            skipped=skipped,
        ),
        fingerprint=content_hash(printed),
        leakage=dict(manifest["leakage"]),
        folder=folder,
    )


def _read_array(path: Path, digest: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    status = path.stat()
    seen = (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
    if seen not in _checked:
        if array_hash(array) != digest:
            raise ValueError(f"{path} is not what was written")
        _checked.add(seen)
    return array
