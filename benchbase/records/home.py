"""The home: the folder of everything that a run leaves behind and that git does not hold.

This module owns every path below it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchbase.errors import StoreError, UsageError
from benchbase.files import create_file, lock_file, replace_file


@dataclass(frozen=True)
class Home:
    """A home folder."""

    path: Path

    @classmethod
    def at(cls, given: Path | None = None) -> Home:
        """Give the home that was asked for, else ``$BENCHBASE_HOME``, else ``.benchbase`` here."""
        return cls(Path(given or os.environ.get("BENCHBASE_HOME") or ".benchbase").expanduser())

    @property
    def cache(self) -> Path:
        """Decoded data sets and corruption manifests; safe to delete."""
        return self.path / "cache"

    @property
    def catalogue(self) -> Path:
        """What plugins bring, remembered; safe to delete."""
        return self.path / "catalogue"

    @property
    def models(self) -> Path:
        """Each cell's last model, where it was asked for."""
        return self.path / "models"

    @property
    def last(self) -> Path:
        """Which board and cells the last run was of."""
        return self.path / "last.json"

    @property
    def records(self) -> Path:
        """One folder a cell, one file an attempt."""
        return self.path / "runs"

    @property
    def logs(self) -> Path:
        """What each cell's processes printed."""
        return self.path / "logs"

    def record(self, key: str, attempt: str) -> Path:
        """Name the file of one attempt at a cell."""
        return self.attempts(key) / f"{attempt}.json"

    def attempts(self, key: str) -> Path:
        """Name the folder of a cell's attempts."""
        return self.records / key[:2] / key

    def later_scores(self, key: str, attempt: str) -> Path:
        """Name the file of what was scored again of an attempt."""
        return self.attempts(key) / f"{attempt}.scores"

    def attempted(self) -> list[str]:
        """Name the cells of which there are attempts, sorted."""
        return [key for group in _names(self.records) for key in _names(self.records / group)]

    def attempt_files(self, key: str) -> list[tuple[Path, Path | None]]:
        """Find the attempts at a cell, sorted: the file of each, and of what was scored again."""
        folder = self.attempts(key)
        names = _names(folder)
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return [
            (
                folder / f"{stem}.json",
                folder / f"{stem}.scores" if f"{stem}.scores" in names else None,
            )
            for stem in stems
        ]

    def predictions(self, key: str, attempt: str) -> Path:
        """Name the file of the logits that an attempt is scored from."""
        return self.path / "preds" / key / f"{attempt}.npz"

    def lease(self, key: str) -> Path:
        """Name the file that says which run has claimed a cell."""
        return self.path / "leases" / f"{key}.json"

    def unfinished(self, key: str) -> Path:
        """Name the folder from which an interrupted cell goes on; safe to delete."""
        return self.path / "unfinished" / key

    def log(self, key: str) -> Path:
        """Name the file that holds what a cell's processes printed."""
        return self.logs / f"{key[:16]}.log"

    def table(self, name: str) -> Path:
        """Name the folder of a table's pages."""
        return self.path / "tables" / name

    def page(self, name: str) -> Path:
        """Name the file of a table's page, which ``benchbase show --open`` writes."""
        return self.table(name) / "page.html"

    def suspects(self, name: str) -> Path:
        """Name the folder of a ranking of labels."""
        return self.path / "suspects" / name

    def advice(self, fingerprint: str) -> Path:
        """Name the folder of what an advice on a data set starts from; safe to delete."""
        return self.path / "advice" / fingerprint[:16]

    def check(self) -> None:
        """Try what a run will do to this folder, before anything is trained.

        Raises:
            UsageError: it cannot be done; the message says what else to do.
        """
        probe = self.path / "work" / f"probe-{secrets.token_hex(4)}"
        try:
            create_file(probe, "new")
            replace_file(probe, "replaced")
            if probe.read_text(encoding="utf-8") != "replaced":
                raise StoreError(f"{probe}: does not hold what was written to it")
        except (OSError, StoreError) as error:
            raise UsageError(
                f"the home folder {self.path} cannot be used ({error}): choose another one with "
                "--home or $BENCHBASE_HOME"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """Make this run's folder for files between processes; clear away those of dead runs.

        Raises:
            UsageError: the home cannot be written to.
        """
        self.check()
        parent = self.path / "work"
        own = parent / f"{os.getpid()}-{secrets.token_hex(4)}"
        try:
            own.mkdir(parents=True)
            self.logs.mkdir(exist_ok=True)
            lock = (own / "lock").open("w")
            # Where there are no locks, the dead cannot be told from the living: nothing is cleared.
            if lock_file(lock.fileno(), fcntl.LOCK_EX):
                for folder in parent.iterdir():
                    if folder != own:
                        _clear_if_dead(folder)
        except OSError as error:
            raise UsageError(
                f"the home folder {self.path} cannot be written to ({error.strerror}): choose "
                "another one with --home or $BENCHBASE_HOME"
            ) from error
        with lock:
            try:
                yield own
            finally:
                shutil.rmtree(own, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    """List a folder, sorted; empty where there is none, or none that may be read."""
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _clear_if_dead(folder: Path) -> None:
    """Delete a run's folder, unless the run holds its lock; a dead run holds none."""
    gone_or_alive = (FileNotFoundError, NotADirectoryError, BlockingIOError)
    with contextlib.suppress(*gone_or_alive), (folder / "lock").open() as lock:
        if lock_file(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder, ignore_errors=True)
