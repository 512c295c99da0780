"""Images that processes share: laid out once for all cells of a condition, one map a role.

A map has no name in any folder: whoever is to see it is handed its descriptor, and it is gone with
the last process that holds it, however that ends. Linux seals it, so that no cell can change what
the others train on; where a map is too large for memory, or the system knows no such files, it is
a nameless file on disk.

Rows stand in an order that tells nothing. Training images, and each grant, stand in the order in
which a method has always seen them: drawn with the split, as public as that, and secret under
``--secret``. An order of the map's own would be no secret from a method, which needs an index to
read by. Judged images stand in an order that nobody can draw again, validation among test, and
some stand there twice; their index stays with the judge. What imbalance dropped is in no map, so
scenarios of different imbalance have maps of their own.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
import tempfile
import weakref
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchbase.data.contract import Pixels
from benchbase.data.split import Rows
from benchbase.seeding import numpy_stream

REPEATED = 64
"""Judged images that stand twice in their map, in different company."""
LARGEST_IN_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8
"""Bytes of a map; a larger one is on disk, where the system can let go of it and read it again."""
_BLOCK_BYTES = 1 << 23


@dataclass(frozen=True, eq=False)
class ImageMap:
    """Images of one role; its descriptor is closed when nobody needs it any more."""

    descriptor: int
    """Can be read from, and mapped."""
    pixels: Pixels
    """Read-only."""

    def __post_init__(self) -> None:
        """See to it that the descriptor is closed."""
        weakref.finalize(self, os.close, self.descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        """Hand over the descriptor alone: whoever unpickles the map, once, maps the same images."""
        return _received, (DupFd(self.descriptor), self.pixels.shape)


def lay_out(folder: Path, rows: Rows, *sources: Pixels) -> ImageMap:
    """Copy rows of arrays of images, which are numbered one array after the other, into a map.

    It stands in the order of ``rows``; ``folder`` is where a large one takes its space.

    Raises:
        OSError: there is no space for it.
    """
    shape = (len(rows), *sources[0].shape[1:])
    size = int(np.prod(shape))
    with _nameless(folder, size) as file:
        for block in np.array_split(rows, size // _BLOCK_BYTES + 1):
            file.write(_gathered(block, sources).data)
        file.flush()
        if sys.platform == "linux" and size <= LARGEST_IN_MEMORY:
            seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        descriptor = os.open(f"/dev/fd/{file.fileno()}", os.O_RDONLY)
    return _mapped(descriptor, shape)


def _received(sent: Any, shape: tuple[int, ...]) -> ImageMap:
    return _mapped(sent.detach(), shape)


def _mapped(descriptor: int, shape: tuple[int, ...]) -> ImageMap:
    size = int(np.prod(shape))
    content = mmap(descriptor, size, access=ACCESS_READ) if size else b""
    return ImageMap(descriptor, np.frombuffer(content, np.uint8).reshape(shape))


def judged_order(count: int, secret: int | None = None) -> Rows:
    """Shuffle ``count`` images and a few repeats of them; afresh each time, without a secret."""
    rng = numpy_stream(secrets.randbits(62) if secret is None else secret, "questions")
    repeated = rng.choice(count, min(REPEATED, count), replace=False)
    return rng.permutation(np.concatenate([np.arange(count), repeated]))


def _nameless(folder: Path, size: int) -> IO[bytes]:
    if sys.platform == "linux" and size <= LARGEST_IN_MEMORY:
        return os.fdopen(os.memfd_create("images", os.MFD_ALLOW_SEALING), "wb")
    return tempfile.TemporaryFile(dir=folder)


def _gathered(rows: Rows, sources: tuple[Pixels, ...]) -> Pixels:
    gathered = np.empty((len(rows), *sources[0].shape[1:]), np.uint8)
    first = 0
    for source in sources:
        here = (rows >= first) & (rows < first + len(source))
        gathered[here] = source[rows[here] - first]
        first += len(source)
    return gathered
