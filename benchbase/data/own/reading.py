"""From an image file of any kind to uint8 pixels of one size. Pillow decodes and resizes."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchbase.data.own.dicom import is_dicom, read_dicom
from benchbase.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

RESIZE_RULES = ("crop", "pad", "stretch")
RULE_TEXTS = {
    "crop": "the largest square in the middle",
    "pad": "the whole image, filled up with black to a square",
    "stretch": "the whole image, stretched to a square",
}
WINDOW = (0.005, 0.995)
"""Quantiles of an image with more than 256 levels that become black and white."""
_DRAFT = 2
"""A JPEG file is decoded at no less than this many times the size that is asked for."""
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_GREY = ("1", "L", "LA", "La")

Picture = Path | bytes | NDArray[Any]
"""An image as a source gives it: a file, its content, or pixels (height, width[, channels])."""


@dataclass(frozen=True)
class Decoded:
    """One image."""

    pixels: NDArray[np.uint8]
    """Shape (channels, height, width)."""
    remarks: tuple[str, ...] = ()
    """What was done to it that the user must know of."""
    fault: str = ""
    """Why it could not be read: there are no pixels then."""


def read_picture(picture: Picture, name: str, size: int | None, resize: str) -> Decoded:
    """Decode one image and bring it to ``size`` x ``size`` pixels; None leaves its size alone.

    Grey images give one channel, all others three; pixels that came as an array keep theirs. The
    image is turned as its EXIF tag says, transparent parts become black, and more than 256 grey
    levels are windowed to the image's own quantiles ``WINDOW``. It is resized by bilinear
    interpolation over all source pixels that a result covers, so that nothing is skipped.

    Raises:
        DataError: it cannot be read; the message calls it by ``name``.
    """
    if isinstance(picture, np.ndarray):
        return Decoded(_fit_array(picture, size, resize))
    from PIL import Image

    try:
        content = picture if isinstance(picture, bytes) else picture.read_bytes()
        if is_dicom(content):
            values, remarks = read_dicom(content)
            image = Image.fromarray(values if values.dtype == np.uint8 else to_bytes(values))
            return Decoded(_channels_first(_fit(image, size, resize)), remarks)
        with Image.open(io.BytesIO(content)) as image:
            return _decode(image, size, resize)
    except OSError as error:
        # Of the operating system, or of Pillow about the content: both are this.
        reason = error.strerror or _reason(error)
    except Image.DecompressionBombError:
        reason = f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels: save it smaller"
    except (SyntaxError, ValueError, EOFError, KeyError) as error:
        reason = _reason(error)
    raise DataError(f"{name}: not an image that can be read ({reason})")


def _reason(error: Exception) -> str:
    if "cannot identify image file" in str(error):
        return "no kind of image file that Pillow knows, or an empty one"
    return str(error) or type(error).__name__


def _decode(image: Image, size: int | None, resize: str) -> Decoded:
    from PIL import ImageOps

    remarks = []
    if getattr(image, "n_frames", 1) > 1:
        remarks.append("hold several pages, of which the first is taken")
    if size is not None and image.format == "JPEG":
        least = _DRAFT * _scale(image.size, size, resize)
        if least < 1:
            image.draft(None, (math.ceil(least * image.width), math.ceil(least * image.height)))
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in _WIDE:
        from PIL import Image as Images

        values = np.asarray(image)
        image = Images.fromarray(to_bytes(values))
        remarks.append(
            f"have more than 256 grey levels: each was windowed to its own {WINDOW[0]:.1%} and "
            f"{WINDOW[1]:.1%} quantiles"
        )
    elif image.has_transparency_data:
        image, transparent = _over_black(image)
        if transparent:
            remarks.append("are partly transparent, and were laid over black")
    mode = "L" if image.mode in _GREY else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    return Decoded(_channels_first(_fit(image, size, resize)), tuple(remarks))


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Window an image's values to its own quantiles, from 0 to 255; no contrast gives black."""
    finite = np.nan_to_num(np.asarray(values, dtype=np.float64))
    low, high = np.quantile(finite, WINDOW)
    if low == high:
        low, high = finite.min(), finite.max()
    scaled = (finite - low) / ((high - low) or 1) * 255
    pixels: NDArray[np.uint8] = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return pixels


def _over_black(image: Image) -> tuple[Image, bool]:
    from PIL import Image as Images

    grey = image.mode in _GREY
    image = image.convert("RGBA")
    low, _ = image.getchannel("A").getextrema()
    ground = Images.new("RGBA", image.size, (0, 0, 0, 255))
    return Images.alpha_composite(ground, image).convert("L" if grey else "RGB"), low != 255


def _scale(shape: tuple[int, int], size: int, resize: str) -> float:
    """Give by how much the sides of an image are multiplied, at the most."""
    return size / (max(shape) if resize == "pad" else min(shape))


def _fit(image: Image, size: int | None, resize: str) -> Image:
    from PIL import Image as Images

    width, height = image.size
    if size is None or (width, height) == (size, size):
        return image
    rule = Images.Resampling.BILINEAR
    if resize == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return image.resize((size, size), rule, box=(left, top, left + side, top + side))
    if resize == "stretch":
        return image.resize((size, size), rule)
    scale = _scale(image.size, size, resize)
    inner = (max(1, round(scale * width)), max(1, round(scale * height)))
    ground = Images.new(image.mode, (size, size))
    ground.paste(image.resize(inner, rule), ((size - inner[0]) // 2, (size - inner[1]) // 2))
    return ground


def _fit_array(pixels: NDArray[Any], size: int | None, resize: str) -> NDArray[np.uint8]:
    from PIL import Image

    layers = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    if size is None:
        return np.ascontiguousarray(layers)
    fitted = [_fit(Image.fromarray(np.ascontiguousarray(it)), size, resize) for it in layers]
    return np.stack([np.asarray(it) for it in fitted])


def _channels_first(image: Image) -> NDArray[np.uint8]:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
