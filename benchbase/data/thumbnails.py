"""Images as addresses that hold them, for pages that need no other file."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray


def picture_address(pixels: NDArray[np.uint8], largest: int | None = None) -> str:
    """Write an image, (channels, height, width), as a ``data:`` address; the same bytes each time.

    Of other channels than one or three the first is shown. With a ``largest`` side, in pixels, it
    is made that small, and a colour image becomes a JPEG, a quarter of the PNG that others are.
    """
    from PIL import Image

    channels = pixels if len(pixels) in (1, 3) else pixels[:1]
    layers = np.moveaxis(channels, 0, -1)
    image = Image.fromarray(layers[..., 0] if layers.shape[-1] == 1 else layers)
    kind = "png"
    if largest is not None:
        image.thumbnail((largest, largest), Image.Resampling.BOX)
        kind = "png" if image.mode == "L" else "jpeg"
    out = io.BytesIO()
    image.save(out, kind, quality=85)
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
