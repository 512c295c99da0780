"""Images of every kind come out as uint8 of one size; what cannot be read is named."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchbase.data.own.reading import read_picture, to_bytes
from benchbase.errors import DataError
from tests.unit.data.own.conftest import patch


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(picture, size: int | None = 8, resize: str = "crop"):
    return read_picture(picture, "it.png", size, resize)


@pytest.mark.parametrize(
    ("mode", "kind", "channels"),
    [
        ("L", "PNG", 1),
        ("1", "PNG", 1),
        ("RGB", "PNG", 3),
        ("P", "GIF", 3),
        ("CMYK", "JPEG", 3),
        ("CMYK", "TIFF", 3),
        ("YCbCr", "JPEG", 3),
        ("RGBA", "PNG", 3),
        ("LA", "PNG", 1),
    ],
)
def test_every_mode_gives_one_or_three_channels(mode, kind, channels):
    decoded = read(encoded(patch(3, mode), kind))
    assert decoded.pixels.shape == (channels, 8, 8)
    assert decoded.pixels.dtype == np.uint8


def test_what_is_transparent_becomes_black_and_is_said():
    image = Image.new("RGBA", (8, 8), (200, 100, 50, 0))
    image.putpixel((0, 0), (200, 100, 50, 255))
    decoded = read(encoded(image, "PNG"))
    assert decoded.pixels[:, 0, 0].tolist() == [200, 100, 50]
    assert not decoded.pixels[:, 1:].any()
    assert "transparent" in decoded.remarks[0]
    assert read(encoded(patch(1, "RGBA"), "PNG")).remarks == ()


def test_sixteen_bits_are_windowed_to_the_image_s_own_quantiles_and_that_is_said():
    values = np.linspace(30_000, 34_000, 64, dtype=np.uint16).reshape(8, 8)
    decoded = read(encoded(Image.fromarray(values), "TIFF"))
    assert decoded.pixels[0, 0, 0] == 0
    assert decoded.pixels[0, -1, -1] == 255
    assert "256 grey levels" in decoded.remarks[0]


def test_a_window_withstands_flat_images_and_numbers_that_are_none():
    assert not to_bytes(np.full((3, 3), 7.5)).any()
    assert to_bytes(np.array([[np.nan, 1.0], [2.0, 3.0]])).tolist()[1] == [170, 255]


def test_an_image_is_turned_as_its_exif_tag_says():
    image = Image.new("RGB", (8, 8))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    decoded = read(encoded(image, "PNG", exif=exif))
    assert decoded.pixels[:, 7, 7].tolist() == [255, 255, 255]
    assert not decoded.pixels[:, 0, 0].any()


def test_crop_takes_the_middle_square_pad_all_of_it_and_stretch_distorts():
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, :10] = 50  # left, middle, right
    wide[:, 10:20] = 150
    wide[:, 20:] = 250
    cropped, padded, stretched = (read(wide, 9, it).pixels[0] for it in ("crop", "pad", "stretch"))
    assert (cropped[:, 1:8] == 150).all()
    assert not padded[:3].any()
    assert not padded[6:].any()
    assert padded[4, [1, 4, 7]].tolist() == [50, 150, 250]
    assert stretched[4, [1, 4, 7]].tolist() == [50, 150, 250]
    assert (stretched[0] == stretched[8]).all()


def test_no_pixel_is_skipped_when_an_image_is_made_smaller():
    lines = np.zeros((64, 64), dtype=np.uint8)
    lines[::2] = 200  # every other line: nearest neighbours would give 0 or 200
    small = read(lines, 8).pixels
    assert 95 <= small.min() <= small.max() <= 105


def test_a_large_jpeg_is_decoded_at_a_smaller_scale_to_nearly_the_same_pixels():
    rng = np.random.Generator(np.random.PCG64(0))
    smooth = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize((640, 480))
    content = encoded(smooth, "JPEG", quality=95)
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    exact = read(np.asarray(whole), 16).pixels.astype(int)
    assert np.abs(read(content, 16).pixels.astype(int) - exact).mean() < 3


def test_arrays_keep_their_channels_and_without_a_size_their_shape():
    pixels = np.zeros((6, 10, 5), dtype=np.uint8)
    pixels[..., 4] = 9
    assert read(pixels, None).pixels.shape == (5, 6, 10)
    assert read(pixels, 8).pixels.shape == (5, 8, 8)
    assert (read(pixels, 8).pixels[4] == 9).all()


def test_of_several_pages_the_first_is_taken_and_that_is_said():
    pages = [patch(1), patch(2)]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    decoded = read(content, None)
    assert "several pages" in decoded.remarks[0]
    assert (decoded.pixels == np.asarray(pages[0]).transpose(2, 0, 1)).all()


def test_an_image_of_one_pixel_is_enlarged():
    assert (read(encoded(Image.new("L", (1, 1), 77), "PNG")).pixels == 77).all()


def bad_content(kind: str) -> bytes:
    if kind == "empty":
        return b""
    if kind == "truncated":
        return encoded(patch(1, shape=(200, 200)), "JPEG")[:800]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "no image")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["empty", "truncated", "zip"])
def test_what_is_no_image_is_named(tmp_path: Path, kind):
    path = tmp_path / "odd.png"
    path.write_bytes(bad_content(kind))
    with pytest.raises(DataError, match=r"it\.png: not an image that can be read"):
        read(path)


def test_an_image_that_is_far_too_large_is_refused_before_it_is_decoded():
    header = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(DataError, match=r"it\.png.*more than 178,956,970 pixels: save it smaller"):
        read(header)


def test_a_file_that_is_gone_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"it\.png.*No such file"):
        read(tmp_path / "gone.png")
