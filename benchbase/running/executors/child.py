"""A process of one role, as the parent holds it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import Future

from benchbase.running.channel import Channel
from benchbase.running.executors.limits import SECONDS, Excess, used_by

_SIGNALLED = 128


class Child:
    """A process that the server forked; one in a sandbox is watched."""

    def __init__(
        self, pid: int, channel: Channel, ended: Future[int], *, sandboxed: bool = False
    ) -> None:
        self.pid = pid
        self.channel = channel
        self.excess: Excess | None = None
        """What it was ended for using."""
        self._ended = ended
        self._sandboxed = sandboxed
        if sandboxed:
            threading.Thread(target=self._watch, daemon=True).start()

    def exit_code(self, timeout: float) -> int | None:
        """Wait for the end; a negative code is a signal, None means still running."""
        try:
            code = self._ended.result(timeout)
        except TimeoutError:
            return None
        # As a shell does, a sandbox ends with 128 and the signal that ended what was in it.
        return _SIGNALLED - code if self._sandboxed and code > _SIGNALLED else code

    def kill(self) -> None:
        """End the child and all that it started."""
        self.channel.close()
        if not self._ended.done():
            kill_group(self.pid)

    def _watch(self) -> None:
        """End the child once it uses more than a sandbox allows."""
        while self.excess is None:
            with contextlib.suppress(TimeoutError):
                self._ended.result(SECONDS)
                return
            self.excess = used_by(self.pid).excess
        kill_group(self.pid)


def kill_group(pid: int) -> None:
    """End a child and all that it started; it may have ended by itself meanwhile."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
