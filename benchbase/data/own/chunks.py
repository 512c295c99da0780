"""Decodes the images of a listing in several processes, a chunk of them at a time.

Each chunk is a file as soon as it is there, so that an interrupted preparation goes on from it.
"""

from __future__ import annotations

import json
import os
import signal
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbase.data.own.listing import Listing
from benchbase.data.own.reading import Decoded, Picture, read_picture
from benchbase.data.progress import tell
from benchbase.errors import DataError, RunError

CHUNK = 64
"""Images: less than a second's work of small ones, some seconds' of photographs."""
_NO_PIXELS = np.zeros((0, 0, 0), dtype=np.uint8)
_IDLE_SECONDS = 2
"""After which a process ends that has nothing to do."""


@dataclass(frozen=True)
class Rule:
    """How images are decoded."""

    size: int | None
    resize: str
    skip_bad: bool = False
    """Whether an image that cannot be read is passed over, with its fault."""


def decode_all(listing: Listing, rule: Rule, folder: Path) -> list[Decoded]:
    """Decode every image, in the order of the listing; chunks are kept below ``folder``.

    Raises:
        DataError: an image cannot be read, and is not to be passed over.
    """
    count = len(listing.names)
    if isinstance(listing.picture(0), np.ndarray):
        pictures = (listing.picture(index) for index in range(count))
        named = zip(pictures, listing.names, strict=True)
        return [read_picture(picture, name, rule.size, rule.resize) for picture, name in named]
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    files = [folder / f"{chunk.start}.npz" for chunk in chunks]
    missing = [
        (file, chunk) for file, chunk in zip(files, chunks, strict=True) if _read(file) is None
    ]
    what = f"decoding {listing.where}"
    done = count - sum(len(chunk) for _, chunk in missing)
    tell(what, done, count)
    for finished in _decoded(missing, listing, rule):
        done += finished
        tell(what, done, count)
    found: list[Decoded] = []
    for file in files:
        decoded = _read(file)
        if decoded is None:
            raise RunError(f"{file}: it is gone, though nobody else should use it: run again")
        found += decoded
    for file in files:
        file.unlink()
    return found


def _decoded(missing: Sequence[tuple[Path, range]], listing: Listing, rule: Rule) -> Iterator[int]:
    """Decode chunks; give the length of each that is done."""
    if not missing:
        return
    # joblib's processes do not run a user's unguarded script again, as multiprocessing's would.
    import joblib

    jobs = (
        joblib.delayed(_decode_chunk)(
            [listing.picture(index) for index in chunk],
            [listing.names[index] for index in chunk],
            rule, file, os.getpid(),
        )
        for file, chunk in missing
    )  # fmt: skip
    workers = min(joblib.cpu_count(), len(missing))
    with joblib.parallel_config("loky", n_jobs=workers, idle_worker_timeout=_IDLE_SECONDS):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, max_nbytes=None)
        yield from parallel(jobs)


def _decode_chunk(
    pictures: Sequence[Picture], names: Sequence[str], rule: Rule, file: Path, parent: int
) -> int:
    if os.getpid() != parent:
        # Ctrl-C at the terminal is the parent's to handle, which then ends this process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    decoded = []
    with warnings.catch_warnings():
        # Pillow's, of large images and odd metadata, are not for the user.
        warnings.simplefilter("ignore")
        for picture, name in zip(pictures, names, strict=True):
            try:
                decoded.append(read_picture(picture, name, rule.size, rule.resize))
            except DataError as error:
                if not rule.skip_bad:
                    raise
                decoded.append(Decoded(_NO_PIXELS, fault=str(error)))
    _write(file, decoded)
    return len(decoded)


def _write(file: Path, decoded: Sequence[Decoded]) -> None:
    temporary = file.with_suffix(".tmp")
    with temporary.open("wb") as out:
        np.savez(
            out,
            pixels=np.concatenate([each.pixels.reshape(-1) for each in decoded]),
            shapes=np.array([each.pixels.shape for each in decoded]),
            said=np.array(json.dumps([(each.remarks, each.fault) for each in decoded])),
        )
    temporary.replace(file)


def _read(file: Path) -> list[Decoded] | None:
    """Read a chunk; None where it is not there, or was cut short."""
    try:
        with file.open("rb") as source, np.load(source, allow_pickle=False) as found:
            pixels, shapes = found["pixels"], found["shapes"]
            said = json.loads(str(found["said"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    ends = np.cumsum(shapes.prod(axis=1))[:-1]
    images = np.split(pixels, ends)
    return [
        Decoded(image.reshape(shape), tuple(remarks), fault)
        for image, shape, (remarks, fault) in zip(images, shapes, said, strict=True)
    ]
