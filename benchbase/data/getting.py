"""Gets the files of a data set and says what is wrong with them, by what its card states."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchbase.data.asking import ask_files
from benchbase.data.cache import prepare
from benchbase.data.card import Card, SourceFile
from benchbase.data.contract import DataSet
from benchbase.errors import DataError, RunError, UsageError
from benchbase.options import settings_of

_SECONDS = 60
"""Without a byte from a server, until it is given up."""


def get(dataset: DataSet, folder: Path) -> list[Path]:
    """Fetch what a program may into ``folder``, checked and unpacked; what is there is kept.

    Raises:
        UsageError: the data set has no card.
        DataError: nothing of it may be fetched by a program (the message says which files go
            where), the server cannot be reached, or sends something else than was published.
        RunError: the disk is full.
    """
    card = _card(dataset)
    files = [file for file in card.files if file.url]
    if not files:
        raise DataError(f"{dataset.name}: no program may fetch it for you: {card.get}")
    return [_fetch(file, folder) for file in files]


def verify(dataset: DataSet, roots: Sequence[Path], cache: Path) -> list[str]:
    """Say what is missing or other than the card states; nothing where all is as it should be.

    Raises:
        UsageError: the data set has no card.
        PluginError, RunError: it fails, or the cache could not be written.
    """
    return [*_differences(dataset, _card(dataset), roots, cache)]


def _differences(dataset: DataSet, card: Card, roots: Sequence[Path], cache: Path) -> Iterator[str]:
    try:
        files = ask_files(dataset, roots)
    except DataError as error:
        yield str(error)
        return
    for file in card.files:
        for path in files:
            if file.checksum and path.as_posix().endswith(f"/{file.name}"):
                found = _checksum(path, file)
                if found != file.checksum:
                    yield f"{path}: expected {file.checksum}, found {found}: get it again"
    try:
        prepared = prepare(dataset, roots, cache)
    except DataError as error:
        yield str(error)
        return
    parts = [prepared.parts.train, prepared.parts.validation, prepared.parts.test]
    counts = Counter(
        prepared.parts.classes[label] for part in parts if part for label in part.labels.tolist()
    )
    for name, expected in card.classes:
        if counts[name] != expected:
            yield f"class {name}: expected {expected:,} images, found {counts[name]:,}"
    for name in sorted(counts.keys() - dict(card.classes).keys() if card.classes else ()):
        yield f"class {name}: expected none such, found {counts[name]:,} images"
    default = settings_of(dataset) == settings_of(type(dataset)())
    if card.fingerprint and default and prepared.fingerprint != card.fingerprint:
        yield f"fingerprint: expected {card.fingerprint}, found {prepared.fingerprint}"


def _card(dataset: DataSet) -> Card:
    if dataset.card is None:
        raise UsageError(
            f"{dataset.name}: has no card that says how to get it and what it should hold"
        )
    return dataset.card


def _fetch(file: SourceFile, folder: Path) -> Path:
    path = folder / file.name
    if path.is_file() and _checksum(path, file) == file.checksum:
        return path
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(file, part)
        found = _checksum(part, file)
        if found != file.checksum:
            raise DataError(
                f"{file.url}: expected {file.checksum}, found {found}: what the server sends is "
                "not what was published; try again later"
            )
        if path.suffix == ".zip":
            shutil.unpack_archive(part, path.parent, "zip")
        part.replace(path)
    except OSError as error:
        raise RunError(f"could not write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _download(file: SourceFile, part: Path) -> None:
    try:
        # The addresses are those of cards, not of users.
        with urlopen(file.url, timeout=_SECONDS) as sent, part.open("wb") as kept:  # noqa: S310
            shutil.copyfileobj(sent, kept, 1 << 20)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"{file.url}: cannot be fetched ({error}): is there a network? Or put the file at "
            f"{part.with_suffix('')} by hand"
        ) from error


def _checksum(path: Path, file: SourceFile) -> str:
    kind = file.checksum.partition(":")[0]
    try:
        with path.open("rb") as content:
            return f"{kind}:{hashlib.file_digest(content, kind).hexdigest()}"
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
