"""Which image is meant by a name, and which files below a folder are images."""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from benchbase.errors import DataError

IMAGE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
    | {".ppm", ".pgm", ".pbm", ".jp2", ".dcm", ".dicom"}
)


def is_image(name: str) -> bool:
    """Tell an image by its ending."""
    return posixpath.splitext(name)[1].lower() in IMAGE_ENDINGS


def files_below(folder: Path) -> list[str]:
    """Name all files below a folder, in the order of their names; hidden ones are left out.

    Raises:
        DataError: the folder cannot be read, a symbolic link leads round in a circle, or an image
            is none that can be read or named.
    """
    names: list[str] = []

    def walk(here: str, below: str, above: tuple[tuple[int, int], ...]) -> None:
        status = os.stat(here)  # noqa: PTH116 - texts: a path object a file would take longer
        own = (status.st_dev, status.st_ino)
        if own in above:
            raise DataError(f"{here}: a symbolic link that leads round in a circle: remove it")
        with os.scandir(here) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                walk(entry.path, f"{below}{entry.name}/", (*above, own))
            else:
                if is_image(entry.name):
                    _check_file(entry)
                names.append(below + entry.name)

    try:
        walk(str(folder), "", ())
    except OSError as error:
        where = error.filename or folder
        raise DataError(
            f"{where}: cannot be read: {error.strerror or error}: mend or remove it"
        ) from error
    return names


def _check_file(entry: os.DirEntry[str]) -> None:
    if not (entry.is_file() or entry.is_symlink()):
        # Whoever opened a pipe would wait for ever.
        raise DataError(
            f"{entry.path}: is a pipe, a socket or a device, expected a file: remove it"
        )
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(entry.path).decode(errors="backslashreplace")
        raise DataError(
            f"{shown}: a name that is not UTF-8, which no table can hold: rename it (convmv does "
            "so for whole folders)"
        ) from None


@dataclass(frozen=True)
class Lookup:
    """Finds names by what a table calls them: with or without folders and ending."""

    names: Sequence[str]
    _by_last: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for name in self.names:
            whole = posixpath.basename(name)
            for last in {whole, posixpath.splitext(whole)[0] if is_image(name) else whole}:
                self._by_last[last].append(name)

    def find(self, text: str) -> list[str]:
        """Give the names that ``text`` may mean: those that it is the end of."""
        wanted = PurePosixPath(text.replace("\\", "/"))
        found = self._by_last.get(wanted.name, [])
        folders = [part for part in wanted.parts[:-1] if part != "."]
        count = len(folders)
        return [
            name
            for name in found
            if not count or list(PurePosixPath(name).parts[:-1][-count:]) == folders
        ]

    def one(self, text: str, where: str, folder: Path) -> str:
        """Give the one name that ``text`` means.

        Raises:
            DataError: it is none, or several.
        """
        found = self.find(text)
        if len(found) > 1:
            raise DataError(
                f"{where}: {text!r} is the name of {len(found)} images below {folder}: {found[0]} "
                f"and {found[1]}; write its folder as well"
            )
        if not found:
            raise DataError(
                f"{where}: there is no image {text!r} below {folder}, with one of the endings "
                f"{', '.join(sorted(IMAGE_ENDINGS)[:6])}, ... or as it stands"
            )
        return found[0]
