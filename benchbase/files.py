"""Files that are written whole or not at all, on whatever file system a home lies.

Network drives, exFAT and mounted folders may know no hard links, no locks, no synced folders:
where there is an equally safe way it is taken.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchbase.errors import StoreError

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_NOT_SUPPORTED = (
    errno.EPERM,
    errno.EACCES,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EMLINK,
    errno.ENOLCK,
)
"""What file systems answer to an operation that they do not know."""


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file at once: a reader sees the old content or the new one, never a part.

    Raises:
        StoreError: the folder cannot be written to, or the disk is full.
    """
    with explained(path), _temporary(path, content) as temporary:
        temporary.replace(path)
        _sync_folder(path.parent)


def remember_file(path: Path, content: str | bytes) -> None:
    """Write as ``replace_file`` does what can be found out again: a crash may leave it damaged.

    Waiting for the disk is left out, which takes longer than everything else.

    Raises:
        StoreError: the folder cannot be written to, or the disk is full.
    """
    with explained(path), _temporary(path, content, synced=False) as temporary:
        temporary.replace(path)


def create_file(path: Path, content: str | bytes) -> None:
    """Write a new file at once; one that exists is never touched.

    Raises:
        StoreError: it exists already, the folder cannot be written to, or the disk is full.
    """
    with explained(path), _temporary(path, content) as temporary:
        try:
            _create_from(temporary, path)
        except FileExistsError as error:
            raise StoreError(f"{path}: it was written before, and is left alone") from error
        _sync_folder(path.parent)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failed write of ``path`` into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        advice = ""
        if error.errno in _FULL_DISK:
            advice = ": free some space and run again; what is finished stays"
        elif error.errno in _READ_ONLY:
            advice = ": choose a folder you may write to with --home or BENCHBASE_HOME"
        raise StoreError(f"{path}: cannot be written, {error.strerror or error}{advice}") from error


def is_unsupported(error: OSError) -> bool:
    """Tell whether a file system answered that it does not know the operation."""
    return error.errno in _NOT_SUPPORTED


def lock_file(descriptor: int, how: int) -> bool:
    """Lock an open file, as ``fcntl.flock`` does; tell whether its file system knows locks."""
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        if not is_unsupported(error):
            raise
        return False
    return True


@contextmanager
def _temporary(path: Path, content: str | bytes, *, synced: bool = True) -> Iterator[Path]:
    """Write ``content`` beside ``path``; what is left of it is deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _create_from(temporary: Path, path: Path) -> None:
    """Give the temporary file its name unless that is taken.

    Raises:
        FileExistsError: it is.
    """
    try:
        os.link(temporary, path)
    except OSError as error:
        if isinstance(error, FileExistsError) or not is_unsupported(error):
            raise
        # No hard links here: take the name, then put the content in its place. A crash between
        # the two leaves an empty file, which readers skip.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make a new name last; not every file system can be asked to."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not is_unsupported(error):
            raise
    finally:
        os.close(descriptor)
