"""Runs one role in a sandbox: ``python -m benchbase.running.executors.role``.

Behind it stand the role's module, the number of its connection, and where it imports from.
"""

from __future__ import annotations

import importlib
import socket
import sys

from benchbase.running import typechecking
from benchbase.running.channel import Channel
from benchbase.running.executors.limits import limit_this_process


def main(module: str, connection: int, path: list[str]) -> None:
    """Limit this process, then do what a forked one does."""
    limit_this_process()
    typechecking.install_if_asked()
    channel = Channel(socket.socket(fileno=connection))
    sys.path[:] = path
    importlib.import_module(module).main(channel)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
