"""Claims on cells, so that two runs on one home share the work and train nothing twice.

A claim is a file whose owner touches it now and then. All times are the home's file system's own,
so that clocks of several machines need not agree. A process number is asked for on its own host
only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchbase.errors import StoreError
from benchbase.files import create_file, replace_file
from benchbase.records.home import Home

BEAT_SECONDS = 15.0
LEASE_SECONDS = 120.0
"""How long an owner may be silent before its cells are anybody's."""


class Owner(msgspec.Struct, frozen=True):
    """Who holds a claim."""

    token: str
    host: str
    pid: int


class Leases:
    """The claims of one run; open it as a context, which keeps them alive and gives them back."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._me = Owner(secrets.token_hex(8), _host(), os.getpid())
        self._held: set[str] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def kept(self) -> Iterator[Leases]:
        """Touch what is claimed until the block ends; then give all back."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(BEAT_SECONDS):
                for key in filter(self._is_mine, self._mine()):
                    with contextlib.suppress(OSError):
                        os.utime(self._home.lease(key))

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield self
        finally:
            ended.set()
            for key in self._mine():
                self.release(key)

    def claim(self, key: str) -> bool:
        """Claim a cell; False where another run that lives holds it.

        Raises:
            StoreError: the home cannot be written to.
        """
        path = self._home.lease(key)
        self._move_aside_if_dead(path)
        if path.exists():
            return False
        try:
            create_file(path, msgspec.json.encode(self._me))
        except StoreError as error:
            if isinstance(error.__cause__, FileExistsError):
                return False
            raise
        with self._lock:
            self._held.add(key)
        return True

    def _move_aside_if_dead(self, path: Path) -> None:
        """Take a dead owner's claim out of the way; of several runs that try, one succeeds."""
        try:
            seen = path.read_bytes()
        except OSError:
            return
        if not self._is_dead(path, seen):
            return
        aside = path.with_name(f".{path.stem[:32]}.{secrets.token_hex(8)}")
        with contextlib.suppress(OSError, StoreError):
            path.rename(aside)
            if (found := aside.read_bytes()) != seen:  # another run was faster: its claim stays
                create_file(path, found)
            aside.unlink()

    def release(self, key: str) -> None:
        """Give a cell back; one that was not claimed is left alone."""
        with self._lock:
            if key not in self._held:
                return
            self._held.remove(key)
        if self._is_mine(key):
            with contextlib.suppress(OSError):
                self._home.lease(key).unlink(missing_ok=True)

    def _is_mine(self, key: str) -> bool:
        """Tell whether a claim is still this run's; one that slept too long has lost it."""
        try:
            return self._home.lease(key).read_bytes() == msgspec.json.encode(self._me)
        except OSError:
            return False

    def _mine(self) -> list[str]:
        with self._lock:
            return sorted(self._held)

    def _is_dead(self, path: Path, content: bytes) -> bool:
        with contextlib.suppress(msgspec.MsgspecError):  # being written, or damaged: age decides
            owner = msgspec.json.decode(content, type=Owner)
            if owner.host == self._me.host and not _is_alive(owner.pid):
                return True
        with contextlib.suppress(OSError, StoreError):
            return _now(path.parent) - path.stat().st_mtime > LEASE_SECONDS
        return False


def _now(folder: Path) -> float:
    """Ask a folder's file system what time it is."""
    probe = folder / f".{secrets.token_hex(8)}"
    replace_file(probe, "")
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and is somebody else's
        return True
    return True
