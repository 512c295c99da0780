"""Images as addresses: what a browser would decode from them."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from benchbase.data.thumbnails import picture_address
from benchbase.seeding import numpy_stream


def shown(address):
    kind, _, content = address.partition(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kind == f"data:image/{image.format.lower()}"
    return image


def noise(*shape):
    return numpy_stream(0, "thumbnails").integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_an_image_is_held_as_it_is(channels):
    pixels = noise(channels, 6, 5)
    image = np.asarray(shown(picture_address(pixels)))
    expected = np.moveaxis(pixels, 0, -1) if channels == 3 else pixels[0]
    assert np.array_equal(image, expected)
    assert picture_address(pixels) == picture_address(pixels.copy())


def test_a_large_one_is_made_small_and_a_small_one_is_left():
    pixels = np.zeros((1, 96, 48), np.uint8)
    pixels[:, ::2] = 200
    small = shown(picture_address(pixels, 48))
    assert small.size == (24, 48)
    assert set(np.asarray(small).ravel()) == {100}
    assert np.array_equal(np.asarray(shown(picture_address(pixels, 96))), pixels[0])
    colours = shown(picture_address(noise(3, 96, 96), 48))
    assert (colours.format, colours.size) == ("JPEG", (48, 48))
