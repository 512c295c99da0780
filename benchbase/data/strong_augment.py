"""Strong augmentation of whole batches: crops, rotations, flips and colours, image by image.

No library does this: torchvision's transforms give a whole batch the same draws, and they and
kornia's draw from torch's global generator. A loop over the images takes 25 times as long
(torchvision 0.29, 38 colour images of 32 pixels, one thread: 27 ms against 1.1).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor
from torch.nn import functional as F

from benchbase.cell import Invariances
from benchbase.data.augment import Augment

LARGEST_ASPECT = 4 / 3
JITTERED = 0.8
"""Share of the images whose colours change."""
JITTER = torch.tensor([0.4, 0.4, 0.4, 0.1])
"""Largest change of brightness, contrast and saturation (factors) and of hue (turns)."""
WINDOW_DRAWS, COLOUR_DRAWS = 7, 5
_SAME_COLOURS = torch.ones(1, COLOUR_DRAWS)


def make_strong_augment(invariances: Invariances) -> Augment:
    """Give a function that crops, rotates, mirrors and recolours each image of a batch.

    Like ``make_augment``'s it maps uint8 pixels (batch, channels, height, width) to the same
    shape and draws from a CPU generator whatever the device. An image is shown through a window
    of part of its area that is stretched by up to 4/3, mirrored and turned, and its colours
    change, all as far as ``invariances`` allow. What lies beyond the edge is the mirror image.
    """

    def augment_strongly(
        pixels: UInt8[Tensor, "batch channels height width"], generator: Generator
    ) -> UInt8[Tensor, "batch channels height width"]:
        count, channels, height, width = pixels.shape
        # A row an image: what it gets does not depend on how many follow.
        draws = torch.rand((count, WINDOW_DRAWS + COLOUR_DRAWS), generator=generator)
        windows = _windows(draws[:, :WINDOW_DRAWS], invariances, height / width)
        changes = (
            draws[:, WINDOW_DRAWS:] if invariances.colours else _SAME_COLOURS.expand(count, -1)
        )
        mixtures, pivots = _colours(changes, channels)
        # All decisions cross to the device in one small copy.
        parts = (windows.flatten(1), mixtures.flatten(1), pivots)
        decisions = torch.cat(parts, 1).to(pixels.device)
        moved = decisions.split([part.shape[1] for part in parts], 1)
        return _recoloured(
            _seen_through(pixels, moved[0].view_as(windows)), moved[1].view_as(mixtures), moved[2]
        )

    return augment_strongly


def _windows(
    draws: Float[Tensor, "batch 7"], invariances: Invariances, tallness: float
) -> Float[Tensor, "batch 2 3"]:
    """Turn numbers from 0 to 1 into affine maps from places of the result to those of the image.

    Places run from -1 to 1 along both axes; ``tallness`` is the images' height / width.
    """
    area, stretch, right, down, turn, mirror_right, mirror_down = draws.unbind(1)
    smallest = 1.0 if invariances.windows == "none" else invariances.smallest_area
    log_area = torch.log(smallest + (1 - smallest) * area)
    # Stretched no further than to the edges, so that the area is always the one that was drawn.
    log_aspect = (2 * stretch - 1) * (-log_area).clamp_max(math.log(LARGEST_ASPECT))
    width = torch.exp((log_area + log_aspect) / 2)
    height = torch.exp((log_area - log_aspect) / 2)
    moved = float(invariances.windows == "anywhere")
    centre_x = moved * (2 * right - 1) * (1 - width)
    centre_y = moved * (2 * down - 1) * (1 - height)
    if invariances.flips != "none":
        width = torch.where(mirror_right < 0.5, -width, width)
    if invariances.flips == "both":
        height = torch.where(mirror_down < 0.5, -height, height)
    angle = (2 * turn - 1) * math.radians(invariances.turns)
    cosine, sine = angle.cos(), angle.sin()
    # A turn keeps lengths in pixels, of which the two axes have different numbers.
    line_x = (cosine * width, -sine * height * tallness, centre_x)
    line_y = (sine * width / tallness, cosine * height, centre_y)
    return torch.stack((*line_x, *line_y), 1).view(-1, 2, 3)


def _seen_through(
    pixels: UInt8[Tensor, "batch channels height width"], windows: Float[Tensor, "batch 2 3"]
) -> Float[Tensor, "batch channels height width"]:
    # A window is never larger than the image, so nothing is shrunk and plain bilinear will do.
    places = F.affine_grid(windows, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels.float(), places, padding_mode="reflection", align_corners=False)


def _colour_parts() -> Float[Tensor, "3 9"]:
    """Give the maps of colours to their grey, to the rest, and to the rest turned by 90 degrees.

    Hue turns in the plane of I and Q, which is one matrix, where HSV takes branches.
    """
    yiq = torch.tensor(
        [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]],
        dtype=torch.float64,
    )
    quarter_turn = torch.tensor([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    grey = yiq[0].expand(3, 3)
    turned = torch.linalg.solve(yiq, quarter_turn @ yiq)
    return torch.stack((grey, torch.eye(3) - grey, turned)).flatten(1).float()


COLOUR_PARTS = _colour_parts()


def _colours(
    draws: Float[Tensor, "batch 5"], channels: int
) -> tuple[Float[Tensor, "batch channels channels"], Float[Tensor, "batch channels"]]:
    """Turn numbers from 0 to 1 into an affine map of each image's colours.

    A new colour is ``mixture @ colour + pivot @ mean colour``: brightness, contrast about the
    mean grey, saturation and hue in one. Without the three channels of a colour image there are
    only the first two.
    """
    changes = JITTER * (2 * draws[:, 1:] - 1) * (draws[:, :1] < JITTERED)
    brightness, contrast, saturation = (1 + changes[:, :3]).split(1, 1)
    hue = 2 * math.pi * changes[:, 3:]
    gain = brightness * contrast
    if channels == 3:
        chroma = (saturation * hue.cos(), saturation * hue.sin())
        shares = torch.cat((torch.ones_like(hue), *chroma), 1)
        mixtures = gain * (shares @ COLOUR_PARTS)
        grey = COLOUR_PARTS[0, :3]
    else:
        mixtures = gain * torch.eye(channels).flatten()
        grey = torch.full((channels,), 1 / channels)
    return mixtures.view(-1, channels, channels), (brightness - gain) * grey


def _recoloured(
    images: Float[Tensor, "batch channels height width"],
    mixtures: Float[Tensor, "batch channels channels"],
    pivots: Float[Tensor, "batch channels"],
) -> UInt8[Tensor, "batch channels height width"]:
    colours = images.flatten(2)
    shifts = (pivots * colours.mean(2)).sum(1).view(-1, 1, 1)
    mixed = torch.baddbmm(shifts, mixtures, colours)
    return mixed.add_(0.5).clamp_(0, 255).to(torch.uint8).view_as(images)
