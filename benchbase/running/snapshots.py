"""The trainer's side of a cell that goes on after an interruption: what its loops keep.

A run is repeated from its start, and each of its loops is put where it was: those that were over
at their last checkpoint, the one that was interrupted at its last kept one. What lies between
loops is computed again. The parent compares every checkpoint that comes again with its journal.
"""

from __future__ import annotations

import dataclasses
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchbase.api import Images, Need, Snapshots, Task
from benchbase.kit import devices
from benchbase.running.reachable import CannotKeepError, Reachable
from benchbase.seeding import global_streams, put_back_global_streams

T = TypeVar("T")
DEAR = 0.6
"""Seconds: whatever takes longer to keep is kept less often, so that it costs 1 % of a minute."""


class Keeper(Snapshots):
    """Keeps the loops of a run in a file, at most once in ``every`` seconds; never if None.

    ``is_own`` tells the modules of the method's author, whose names and classes may keep something
    too. ``past`` are the loops of the run that was interrupted. ``restored`` hears how many
    checkpoints had been reported before the one that comes again.
    """

    def __init__(
        self,
        task: Task,
        path: Path,
        *,
        every: float | None,
        is_own: Callable[[str], bool],
        past: Sequence[bytes] = (),
        restored: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.task = dataclasses.replace(task, snapshots=self)
        """The task whose loops are kept."""
        self.reported = 0
        """Checkpoints that were reported so far."""
        self._path = path
        self._every = every or 0.0
        self._is_own = is_own
        self._past = past
        self._restored = restored
        self._over: list[bytes] = []
        """The loops of this run that are over, each at its last checkpoint."""
        self._loops = 0
        self._is_open = self._is_training = False
        self._given_up = every is None  # nothing is kept then
        self._due = time.monotonic() + self._every

    @staticmethod
    def read(path: Path) -> list[bytes]:
        """Give the loops that a file holds; it may only be read where a method may train."""
        loops: list[bytes] = pickle.loads(path.read_bytes())  # noqa: S301
        return loops

    def epochs(self, count: int, train: Callable[[int], T]) -> Iterator[T]:
        """Yield ``train(epoch)`` for each epoch that is left."""
        if self._is_training or not count:  # a loop within an epoch is part of that
            yield from super().epochs(count, train)
            return
        if self._is_open:
            self._give_up("a loop was left before its end, or two take turns")
        number, self._loops, self._is_open = self._loops, self._loops + 1, True
        reach = self._reach(train)
        begun = 0
        if number < len(self._past):
            if reach is None:
                raise CannotKeepError("what was kept once cannot be reached now")
            begun, checkpoint = self._put_back(reach, self._past[number])
            if begun == count:
                self._over.append(self._past[number])
            yield checkpoint
        for epoch in range(begun, count):
            self._is_training = True
            checkpoint = train(epoch)
            self._is_training = False
            self._keep(reach, epoch + 1, count, checkpoint)
            yield checkpoint
        self._is_open = False

    def _reach(self, train: Callable[[int], T]) -> Reachable | None:
        roots: list[object] = [self.task.meter, train]
        if Need.ORACLE in self.task.needs:
            roots.append(self.task.oracle.answers)
        try:
            return Reachable(roots, _never_changing(self.task), self._is_own)
        except CannotKeepError as error:
            self._give_up(str(error))
            return None

    def _keep(self, reach: Reachable | None, done: int, count: int, checkpoint: T) -> None:
        is_due, is_over = time.monotonic() >= self._due, done == count
        if reach is None or self._given_up or not (is_due or is_over):
            return
        began = time.monotonic()
        try:
            streams = global_streams(), devices.random_state(self.task.device)
            written = reach.written((done, checkpoint, self.reported, streams))
        except CannotKeepError as error:
            self._give_up(str(error))
            return
        if is_due:
            self._path.write_bytes(pickle.dumps([*self._over, written]))
            took = time.monotonic() - began
            self._due = time.monotonic() + self._every * max(1.0, took / DEAR)
        if is_over:
            self._over.append(written)

    def _put_back(self, reach: Reachable, written: bytes) -> tuple[int, Any]:
        done, checkpoint, self.reported, streams = reach.put_back(written)
        on_cpu, on_device = streams
        put_back_global_streams(on_cpu)
        devices.put_back_random_state(self.task.device, on_device)
        self._restored(self.reported)
        return done, checkpoint

    def _give_up(self, reason: str) -> None:
        """Keep nothing from here on: an interrupted run begins where it was kept last, or anew."""
        if not self._given_up:
            print(f"no snapshots from here on: {reason}", file=sys.stderr)
        self._given_up = True


def _never_changing(task: Task) -> Iterator[object]:
    yield task
    yield from (value for name, value in vars(task).items() if name not in {"meter", "grants"})
    grants = task.grants
    yield from (grants, grants.oracle, grants.truth)
    for images in (task.train, grants.trusted, grants.unlabelled):
        if isinstance(images, Images):
            yield from (images, images.pixels, images.labels, images.rows)
