"""Images that do not fit the device: brought there a batch ahead, while the last one is used.

Two buffers take turns. On CUDA they are pinned and copied on a stream of their own, so that neither
the host nor the device waits for a copy that has had a step's time to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int, UInt8
from torch import Tensor


@runtime_checkable
class Copy(Protocol):
    """Images on their way to the device."""

    def arrive(self) -> Tensor:
        """Give them; what the device does from here on comes after the copy."""

    def wait(self) -> None:
        """Come back when the host may write over what was sent."""


@runtime_checkable
class Lane(Protocol):
    """The way to one device."""

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Make room on the host from which images are sent."""

    def send(self, images: Tensor) -> Copy:
        """Begin to copy, and come back at once."""


class Feed:
    """Gives batches of the images on the host, on the device."""

    def __init__(self, pixels: UInt8[Tensor, "all channels height width"], lane: Lane) -> None:
        self._pixels = pixels
        self._lane = lane
        self._buffers: list[tuple[Tensor, Copy | None]] = [(pixels[:0], None)] * 2
        """Each with what was sent from it last; the first is the next one's turn."""
        self._coming: tuple[Tensor, Copy] | None = None

    def prepare(self, rows: Int[Tensor, " batch"]) -> None:
        """Send the images of ``rows``, which are asked for next."""
        buffer, sent = self._buffers.pop(0)
        if sent is not None:
            sent.wait()
        if len(buffer) < len(rows):
            buffer = self._lane.buffer((len(rows), *self._pixels.shape[1:]))
        images = torch.index_select(self._pixels, 0, rows, out=buffer[: len(rows)])
        copy = self._lane.send(images)
        self._buffers.append((buffer, copy))
        self._coming = (rows, copy)

    def take(self, rows: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch channels height width"]:
        """Give the images of ``rows``, whether they were prepared or not."""
        if self._coming is None or not torch.equal(self._coming[0], rows):
            self.prepare(rows)
        assert self._coming is not None
        (_, copy), self._coming = self._coming, None
        return copy.arrive()


def delivered(
    pixels: UInt8[Tensor, "all channels height width"],
    batches: Iterable[Int[Tensor, " _"]],
    device: torch.device,
) -> Iterator[UInt8[Tensor, "_ channels height width"]]:
    """Give the images of each batch of rows on the device, whether they all lie there or not."""
    if pixels.device.type == device.type:
        yield from (pixels[rows] for rows in batches)
        return
    feed = Feed(pixels, lane_to(device))
    for rows, coming in pairwise([*batches, None]):
        assert rows is not None
        images = feed.take(rows)
        if coming is not None:
            feed.prepare(coming)
        yield images


def lane_to(device: torch.device) -> Lane:
    """Give the way to a device."""
    return _CudaLane(device) if device.type == "cuda" else _PlainLane(device)


class _PlainLane:
    """Copies while the host waits."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        return torch.empty(shape, dtype=torch.uint8)

    def send(self, images: Tensor) -> Copy:
        return _Arrived(images.to(self._device, copy=True))


class _Arrived:
    def __init__(self, images: Tensor) -> None:
        self._images = images

    def arrive(self) -> Tensor:
        return self._images

    def wait(self) -> None:
        pass


class _CudaLane:
    """Copies beside what the device computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: Any = torch.cuda.Stream(device)

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        return torch.empty(shape, dtype=torch.uint8, pin_memory=True)

    def send(self, images: Tensor) -> Copy:
        with torch.cuda.stream(self._stream):
            there = images.to(self._device, non_blocking=True)
            return _CudaCopy(there, self._stream.record_event())


class _CudaCopy:
    def __init__(self, images: Tensor, done: Any) -> None:
        self._images = images
        self._done = done

    def arrive(self) -> Tensor:
        stream = torch.cuda.current_stream(self._images.device)
        stream.wait_event(self._done)
        # It was allocated on the other stream, which must not reuse it while this one reads.
        self._images.record_stream(stream)
        return self._images

    def wait(self) -> None:
        self._done.synchronize()
