"""Flips, shifts and normalisation of whole batches, on the device that holds the pixels."""

from __future__ import annotations

import functools
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

    lines_of = functools.cache(functools.partial(_sources, shift, flips == "both"))
    columns_of = functools.cache(functools.partial(_sources, shift, flips != "none"))

    def augment(
        pixels: UInt8[Tensor, "batch channels height width"], generator: Generator
    ) -> UInt8[Tensor, "batch channels height width"]:
        if flips == "none" and shift == 0:
            return pixels
        count, channels, height, width = pixels.shape
        moves = torch.randint(-shift, shift + 1, (2, count), generator=generator)
        mirrors = torch.randint(0, 2, (2, count), generator=generator)
        # All decisions cross to the device in one small copy.
        down, right = moves.add_(mirrors, alpha=2 * shift + 1).to(pixels.device)
        lines, columns = lines_of(height, pixels.device), columns_of(width, pixels.device)
        source = torch.add(columns[right].unsqueeze(1), lines[down].unsqueeze(2), alpha=width)
        # One gather along the flattened image: six times as fast on a CPU as indexing by
        # (image, line, column), and the same memory traffic on a GPU.
        source = source.view(count, 1, height * width).expand(-1, channels, -1)
        return pixels.flatten(2).gather(2, source).view_as(pixels)

    return augment


def _sources(
    shift: int, mirrored: bool, size: int, device: torch.device
) -> Int[Tensor, "choices size"]:
    """Tell which source line each line of an image shows, for each mirroring and each shift.

    Lines beyond the edge repeat it. The choice is in order of shifts, plus their number where the
    image is mirrored; it is rotated so that a shift to the left is a negative index.
    """
    shifts = torch.arange(-shift, shift + 1).unsqueeze(1)
    plain = (torch.arange(size) + shifts).clamp_(0, size - 1)
    choices = torch.cat((plain, size - 1 - plain if mirrored else plain))
    return choices.roll(-shift, 0).to(device)


def make_normalise(mean: Sequence[float], std: Sequence[float], device: torch.device) -> Normalise:
    """Give a function from uint8 pixels to float32 images of zero mean and unit deviation.

    ``mean`` and ``std`` hold one value a channel, of pixels / 255. Images come out on ``device``
    and channels-last, the layout in which CPU convolutions run fastest.
    """
    # (pixel / 255 - mean) / std as one multiplication and one addition.
    scale = torch.tensor([1 / (255 * value) for value in std], device=device)
    offsets = [-centre / spread for centre, spread in zip(mean, std, strict=True)]
    offset = torch.tensor(offsets, device=device)

    @functools.cache
    def of_a_line(width: int) -> tuple[Tensor, Tensor]:
        return scale.repeat(width), offset.repeat(width)

    def normalise(
        pixels: UInt8[Tensor, "batch channels height width"],
    ) -> Float[Tensor, "batch channels height width"]:
        # The change of type allocates anew, hence also sets the strides of a one-channel image,
        # by which a convolution chooses its layout.
        images = pixels.to(device).to(torch.float32, memory_format=torch.channels_last)
        # Whole lines at a time, which are long enough for a processor's vectors; channels are not.
        lines = images.permute(0, 2, 3, 1).flatten(2)
        scales, offsets = of_a_line(images.shape[3])
        lines.mul_(scales).add_(offsets)
        return images

    return normalise
