"""Flips, shifts and normalisation of whole batches, on the device that holds the pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor

from benchbase.cell import Invariances

Augment = Callable[[Tensor, Generator], Tensor]
Normalise = Callable[[Tensor], Tensor]


def make_augment(invariances: Invariances, shift: int) -> Augment:
    """Give a function that mirrors and shifts each image of a batch on its own.

    It maps pixels (batch, channels, height, width) uint8 to the same shape, drawing from a CPU
    generator whatever the device, so that all devices train on the same pixels. Shifts are whole
    pixels, up to ``shift`` either way along both axes, with the edge repeated, where windows keep
    the class; along axes that may be flipped an image is mirrored with probability one half.
    """
    flips = invariances.flips
    if invariances.windows == "none":
        shift = 0

    def augment(
        pixels: UInt8[Tensor, "batch channels height width"], generator: Generator
    ) -> UInt8[Tensor, "batch channels height width"]:
        if flips == "none" and shift == 0:
            return pixels
        count, channels, height, width = pixels.shape
        # All decisions cross to the device in one small copy.
        moves = torch.randint(-shift, shift + 1, (2, count, 1), generator=generator)
        mirrors = torch.randint(0, 2, (2, count, 1), generator=generator)
        down, right, mirror_down, mirror_right = torch.cat((moves, mirrors)).to(pixels.device)
        lines = _source_lines(height, down, mirror_down if flips == "both" else None)
        columns = _source_lines(width, right, mirror_right if flips != "none" else None)
        source = (lines * width).unsqueeze(2) + columns.unsqueeze(1)
        # One gather along the flattened image: six times as fast on a CPU as indexing by
        # (image, line, column), and the same memory traffic on a GPU.
        source = source.view(count, 1, height * width).expand(-1, channels, -1)
        return pixels.flatten(2).gather(2, source).view_as(pixels)

    return augment


def _source_lines(
    size: int, shift: Int[Tensor, "batch 1"], mirror: Int[Tensor, "batch 1"] | None
) -> Int[Tensor, "batch size"]:
    """Tell which source line each line of each image shows; lines beyond the edge repeat it."""
    lines = (torch.arange(size, device=shift.device) + shift).clamp_(0, size - 1)
    if mirror is None:
        return lines
    return torch.where(mirror.bool(), size - 1 - lines, lines)


def make_normalise(mean: Sequence[float], std: Sequence[float], device: torch.device) -> Normalise:
    """Give a function from uint8 pixels to float32 images of zero mean and unit deviation.

    ``mean`` and ``std`` hold one value a channel, of pixels / 255. Images come out on ``device``
    and channels-last, the layout in which CPU convolutions run fastest.
    """
    # (pixel / 255 - mean) / std as one multiplication and one addition.
    scale = torch.tensor([1 / (255 * value) for value in std], device=device).view(1, -1, 1, 1)
    offsets = [-centre / spread for centre, spread in zip(mean, std, strict=True)]
    offset = torch.tensor(offsets, device=device).view(1, -1, 1, 1)

    def normalise(
        pixels: UInt8[Tensor, "batch channels height width"],
    ) -> Float[Tensor, "batch channels height width"]:
        # The change of type allocates anew, hence also sets the strides of a one-channel image,
        # by which a convolution chooses its layout.
        images = pixels.to(device).to(torch.float32, memory_format=torch.channels_last)
        return images.mul_(scale).add_(offset)

    return normalise
