import pytest
import torch

from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise


def images(count=64, channels=2, height=5, width=7):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(
        0, 256, (count, channels, height, width), generator=generator, dtype=torch.uint8
    )


def stream():
    return torch.Generator().manual_seed(2)


def variants(image, flips, shift):
    """Every picture that the augmentation may make of one, by slicing padded copies."""
    height, width = image.shape[1:]
    padded = torch.nn.functional.pad(image.float(), (shift,) * 4, mode="replicate").to(image.dtype)
    for top in range(2 * shift + 1):
        for left in range(2 * shift + 1):
            cut = padded[:, top : top + height, left : left + width]
            yield cut
            if flips != "none":
                yield cut.flip(2)
            if flips == "both":
                yield cut.flip(1)
                yield cut.flip((1, 2))


@pytest.mark.parametrize("flips", ["none", "horizontal", "both"])
@pytest.mark.parametrize("shift", [0, 2])
def test_images_are_shifted_with_repeated_edges_and_mirrored(flips, shift):
    pixels = images()
    result = make_augment(Invariances(flips=flips), shift)(pixels, stream())
    assert result.shape == pixels.shape
    assert result.dtype == torch.uint8
    for before, after in zip(pixels, result, strict=True):
        assert any(torch.equal(after, variant) for variant in variants(before, flips, shift))


def test_every_shift_and_flip_occurs():
    pixel = images(count=1)
    result = make_augment(Invariances(flips="both"), 1)(pixel.expand(2000, -1, -1, -1), stream())
    assert len(result.flatten(1).unique(dim=0)) == 9 * 4


def test_images_of_a_batch_are_moved_on_their_own():
    result = make_augment(Invariances(), 2)(images(count=1).expand(32, -1, -1, -1), stream())
    assert len(result.flatten(1).unique(dim=0)) > 5


def test_augmentation_repeats_with_the_stream_and_leaves_its_input_alone():
    pixels = images()
    before = pixels.clone()
    augment = make_augment(Invariances(flips="both"), 2)
    assert torch.equal(augment(pixels, stream()), augment(pixels, stream()))
    assert torch.equal(pixels, before)


def test_images_are_not_shifted_where_no_window_keeps_the_class():
    pixels = images()
    augment = make_augment(Invariances(flips="none", windows="none"), 2)
    assert torch.equal(augment(pixels, stream()), pixels)


def test_without_flips_and_shifts_nothing_is_drawn():
    generator = stream()
    state = generator.get_state()
    pixels = images()
    assert torch.equal(make_augment(Invariances(flips="none"), 0)(pixels, generator), pixels)
    assert torch.equal(generator.get_state(), state)


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_images_have_the_stated_moments_and_lie_channels_last(channels):
    pixels = images(channels=channels)
    scaled = pixels.double() / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3))
    normalise = make_normalise(mean.tolist(), std.tolist(), torch.device("cpu"))
    result = normalise(pixels)
    expected = (scaled - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
    torch.testing.assert_close(result, expected.float(), rtol=1e-5, atol=1e-5)
    assert result.dtype == torch.float32
    # By this stride a convolution chooses its layout, also for one channel.
    assert result.stride(1) == 1


def test_normalising_leaves_the_pixels_alone():
    pixels = images()
    before = pixels.clone()
    make_normalise([0.5, 0.5], [0.2, 0.2], torch.device("cpu"))(pixels)
    assert torch.equal(pixels, before)
