"""Framed messages between the parent and its children: JSON and raw bytes, nothing pickled.

A frame is two big-endian 32-bit lengths, the JSON text, the bytes; open files may follow it. The
parent reads what a stranger's process wrote, so lengths are limited and the JSON is parsed, never
evaluated.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import TypeVar, Union

import msgspec

from benchbase.errors import ContractError
from benchbase.running.messages import Message

Kind = TypeVar("Kind", bound=Message)
_HEADER = struct.Struct(">II")
_WITH_FILES = b"\0"
"""What open files travel with; only who asks for them receives any, which the parent never does."""
LONGEST_WAIT = 3600.0
"""Seconds that one system call may block; the deadline itself may be any time away."""
LIMIT_BYTES = 1 << 30
"""Largest frame that is accepted: a gibibyte."""


class Channel:
    """One end of a connection; ``deadline`` (monotonic seconds) bounds every receive."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline: float | None = None

    def send(
        self, message: Message, blob: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        """Send one frame, and open files with it.

        Raises:
            OSError: the other end is gone.
            TimeoutError: the deadline passed while the other end read nothing.
        """
        text = json.dumps(msgspec.to_builtins(message), allow_nan=False).encode()
        for part in (_HEADER.pack(len(text), len(blob)) + text, blob):
            left = memoryview(part)
            while left:
                self._bound()
                with contextlib.suppress(TimeoutError):
                    left = left[self._connection.send(left) :]
        if descriptors:
            self._bound()
            socket.send_fds(self._connection, [_WITH_FILES], [*descriptors])

    def receive(self, *kinds: type[Kind]) -> tuple[Kind, bytes]:
        """Receive one frame, which must be one of these messages.

        Raises:
            EOFError: the other end closed or died.
            TimeoutError: the deadline passed.
            ContractError: the frame is too large or holds no such message.
        """
        text_bytes, blob_bytes = _HEADER.unpack(self._read(_HEADER.size))
        if text_bytes + blob_bytes > LIMIT_BYTES:
            raise ContractError(f"a message of {text_bytes + blob_bytes} bytes is over the limit")
        text = self._read(text_bytes)
        blob = self._read(blob_bytes)
        try:
            said = json.loads(text, parse_constant=_refuse)
            message: Kind = msgspec.convert(said, Union[kinds])  # noqa: UP007 - made at run time
        except (ValueError, RecursionError, SystemError) as error:  # the last: 10**400 as a float
            names = " or ".join(str(kind.__struct_config__.tag) for kind in kinds)
            raise ContractError(
                f"expected a message {names}, got {text[:200]!r} ({error})"
            ) from error
        return message, blob

    def receive_files(self, count: int) -> list[int]:
        """Receive the open files that came with the last frame; whoever receives closes them.

        Raises:
            EOFError: the other end closed or died.
            ContractError: fewer came.
        """
        said, descriptors, _, _ = socket.recv_fds(self._connection, len(_WITH_FILES), count)
        if not said:
            raise EOFError
        if len(descriptors) != count:
            raise ContractError(f"expected {count} open files, got {len(descriptors)}")
        return descriptors

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            self._bound()
            try:
                piece = self._connection.recv(min(count - len(parts), 1 << 20))
            except TimeoutError:
                continue
            except ConnectionError as error:
                raise EOFError from error
            if not piece:
                raise EOFError
            parts += piece
        return bytes(parts)

    def _bound(self) -> None:
        """Let the next operation block no longer than the deadline allows."""
        if self.deadline is None:
            self._connection.settimeout(None)
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(left, LONGEST_WAIT))

    def close(self) -> None:
        """Close this end; the other one reads the end of the file."""
        self._connection.close()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
