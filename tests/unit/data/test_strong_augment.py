import colorsys
import math

import pytest
import torch
from torchvision.transforms import v2

from benchbase.cell import Invariances
from benchbase.data import strong_augment
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import torch_stream

NONE, HORIZONTAL = Invariances(flips="none"), Invariances()
BOTH = Invariances(flips="both", turns=180)
EVERY_KIND = pytest.mark.parametrize(
    "invariances", [NONE, HORIZONTAL, BOTH], ids=lambda it: it.flips
)
STILL = [1.0, 0.5, 0.5, 0.5, 0.5, 0.9, 0.9]
"""Whole area, no stretch, in the middle, not turned, not mirrored."""
UNCHANGED = [0.0, 0.5, 0.5, 0.5, 0.5]
"""Jittered, but by nothing."""


def images(count=16, channels=3, height=12, width=12):
    stream = torch_stream(1, "images")
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, generator=stream, dtype=torch.uint8)


def stream():
    return torch_stream(2, "augmentation")


def shown(pixels, invariances=NONE, **changes):
    """Show images through one window: the draws of ``STILL``, but for ``changes``."""
    draws = list(STILL)
    names = ("area", "stretch", "right", "down", "turn", "mirror_right", "mirror_down")
    for name, value in changes.items():
        draws[names.index(name)] = value
    windows = strong_augment._windows(
        torch.tensor([draws] * len(pixels)), invariances, pixels.shape[2] / pixels.shape[3]
    )
    return strong_augment._seen_through(pixels, windows)


def recoloured(pixels, *, draws=UNCHANGED):
    colours = strong_augment._colours(torch.tensor([draws] * len(pixels)), pixels.shape[1])
    return strong_augment._recoloured(pixels.float(), *colours)


@EVERY_KIND
@pytest.mark.parametrize(
    "shape", [(5, 1, 28, 28), (5, 3, 32, 20), (2, 2, 9, 7), (3, 4, 8, 8), (1, 3, 1, 1)]
)
def test_shape_and_type_stay_and_the_pixels_given_too(invariances, shape):
    pixels = images(*shape)
    before = pixels.clone()
    result = make_strong_augment(invariances)(pixels, stream())
    assert result.shape == shape
    assert result.dtype == torch.uint8
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("shape", [(8, 3, 1, 16), (8, 1, 16, 1)])
def test_an_image_of_one_line_shows_only_values_of_that_line(shape):
    pixels = torch.full(shape, 100, dtype=torch.uint8)
    pixels.view(8, shape[1], 16)[..., 8:] = 140
    result = shown(pixels, BOTH, area=0.3, turn=0.7)
    assert result.min() >= 100
    assert result.max() <= 140
    assert make_strong_augment(BOTH)(pixels, stream()).shape == shape


@EVERY_KIND
def test_the_same_stream_gives_the_same_images_and_the_next_draws_differ(invariances):
    pixels, augment = images(), make_strong_augment(invariances)
    generator = stream()
    first, second = augment(pixels, generator), augment(pixels, generator)
    assert torch.equal(first, augment(pixels, stream()))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_what_an_image_becomes_does_not_depend_on_the_others(channels):
    pixels, augment = images(channels=channels), make_strong_augment(BOTH)
    expected = augment(pixels, stream())[:5]
    assert torch.equal(augment(pixels[:5], stream()), expected)
    others = torch.cat((pixels[:5], 255 - pixels[5:]))
    assert torch.equal(augment(others, stream())[:5], expected)


@EVERY_KIND
def test_equal_images_of_a_batch_all_become_different(invariances):
    result = make_strong_augment(invariances)(images(count=1).expand(64, -1, -1, -1), stream())
    assert len(result.flatten(1).unique(dim=0)) == 64


@EVERY_KIND
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_image_of_one_colour_keeps_one_colour(invariances, channels):
    colours = images(channels=channels, height=1, width=1)
    result = make_strong_augment(invariances)(colours.expand(-1, -1, 10, 14), stream())
    # A rounding of bilinear weights may fall to either side of one half.
    spread = result.flatten(2).amax(2).int() - result.flatten(2).amin(2).int()
    assert spread.max() <= 1


def test_a_grey_colour_image_stays_grey():
    pixels = images(channels=1).expand(-1, 3, -1, -1)
    result = make_strong_augment(BOTH)(pixels, stream()).int()
    assert (result - result[:, :1]).abs().max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_neutral_draws_give_the_image_back(channels):
    pixels = images(channels=channels, height=9, width=14)
    for invariances in (NONE, HORIZONTAL, BOTH):
        seen = shown(pixels, invariances)
        torch.testing.assert_close(seen, pixels.float(), atol=1e-2, rtol=0)
        assert torch.equal(recoloured(seen), pixels)


def test_mirrors_are_exact_and_only_where_they_are_allowed():
    pixels = images(height=9, width=14)
    expected = {
        NONE: pixels,
        HORIZONTAL: pixels.flip(3),
        BOTH: pixels.flip((2, 3)),
    }
    for invariances, mirrored in expected.items():
        seen = shown(pixels, invariances, mirror_right=0.1, mirror_down=0.1)
        torch.testing.assert_close(seen, mirrored.float(), atol=1e-2, rtol=0)


def test_images_turn_any_way_only_where_orientation_is_meaningless():
    pixels = images()
    # From -180 to 180 degrees: three quarters of the way is a quarter turn.
    seen = shown(pixels, BOTH, turn=0.75)
    turned = [pixels.rot90(times, (2, 3)).float() for times in (1, 3)]
    assert min((seen - way).abs().max() for way in turned) < 1e-2
    for invariances in (NONE, HORIZONTAL):
        windows = strong_augment._windows(
            torch.tensor([[*STILL[:4], 1.0, 0.9, 0.9]]), invariances, 1.0
        )
        degrees = math.degrees(math.atan2(windows[0, 1, 0], windows[0, 0, 0]))
        assert degrees == pytest.approx(15)


def test_a_turned_window_has_right_angles_in_pixels():
    windows = strong_augment._windows(torch.rand(50, 7, generator=stream()), BOTH, 20 / 30)
    in_pixels = windows[:, :, :2] * torch.tensor([30.0, 20.0]).view(1, 2, 1)
    right, down = in_pixels.unbind(2)
    cosines = torch.cosine_similarity(right, down)
    torch.testing.assert_close(cosines, torch.zeros(50), atol=1e-5, rtol=0)


def test_a_window_of_a_quarter_in_the_corner_is_that_quarter_magnified():
    pixels = images(height=16, width=16)
    seen = shown(pixels, area=(0.25 - 0.2) / 0.8, right=0.0, down=1.0)
    corner = pixels[:, :, 8:, :8].float()
    expected = v2.functional.resize_image(corner, [16, 16], antialias=False)
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(seen[inside], expected[inside], atol=1e-2, rtol=0)


@EVERY_KIND
def test_windows_cover_a_fifth_to_all_of_the_area_and_lie_inside_before_they_turn(invariances):
    draws = torch.rand(4000, 7, generator=stream())
    windows = strong_augment._windows(draws, invariances, 1.0)
    matrix = windows[:, :, :2]
    area = torch.linalg.det(matrix).abs()
    # Uniform from 0.2 to 1: mean 0.6, deviation 0.231.
    assert area.min() >= 0.2 - 1e-5
    assert area.max() <= 1 + 1e-5
    assert float(area.mean()) == pytest.approx(0.6, abs=0.02)
    assert float(area.std()) == pytest.approx(0.231, abs=0.01)
    width, height = matrix.norm(dim=1).unbind(1)
    aspect = width / height
    assert aspect.min() >= 3 / 4 - 1e-4
    assert aspect.max() <= 4 / 3 + 1e-4
    assert float(aspect.log().std()) > 0.1
    assert max(width.max(), height.max()) <= 1 + 1e-5
    for size, centre in ((width, windows[:, 0, 2]), (height, windows[:, 1, 2])):
        assert (centre.abs() + size).max() <= 1 + 1e-5
        assert centre.min() < -0.3
        assert centre.max() > 0.3
    mirrored = float((torch.linalg.det(matrix) < 0).float().mean())
    assert mirrored == pytest.approx(0.0 if invariances.flips == "none" else 0.5, abs=0.03)


def test_windows_around_the_centre_keep_the_centre_pixel():
    pixels = images(count=400, height=15, width=15) // 2
    pixels[:, :, 7, 7] = 255
    invariances = Invariances(
        flips="both", windows="centre", smallest_area=0.25, turns=180, colours=False
    )
    result = make_strong_augment(invariances)(pixels, stream())
    assert (result[:, :, 7, 7] == 255).all()
    assert not torch.equal(result, pixels)
    anywhere = make_strong_augment(Invariances(colours=False))(pixels, stream())
    assert (anywhere[:, 0, 7, 7] == 255).float().mean() < 0.1


def test_without_windows_the_whole_image_is_shown():
    draws = torch.rand(50, 7, generator=stream())
    windows = strong_augment._windows(draws, Invariances(flips="none", windows="none"), 1.0)
    torch.testing.assert_close(torch.linalg.det(windows[:, :, :2]), torch.ones(50))
    assert windows[:, :, 2].abs().max() == 0


def test_what_nothing_keeps_stays_as_it_is():
    pixels = images()
    fixed = Invariances(flips="none", windows="none", turns=0, colours=False)
    assert torch.equal(make_strong_augment(fixed)(pixels, stream()), pixels)


def test_turns_go_no_further_than_allowed():
    draws = torch.rand(200, 7, generator=stream())
    windows = strong_augment._windows(draws, Invariances(flips="none", turns=40), 1.0)
    degrees = torch.rad2deg(torch.atan2(windows[:, 1, 0], windows[:, 0, 0])).abs()
    assert 35 < degrees.max() <= 40


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_contrast_and_saturation_are_those_of_torchvision(channels):
    pixels = (images(channels=channels) // 4) + 90  # away from black and white
    shades = {
        "adjust_brightness": [0.0, 0.9, 0.5, 0.5, 0.5],
        "adjust_contrast": [0.0, 0.5, 0.9, 0.5, 0.5],
        "adjust_saturation": [0.0, 0.5, 0.5, 0.9, 0.5],
    }
    for name, draws in shades.items():
        # 0.9 of the way from -0.4 to 0.4
        expected = getattr(v2.functional, name)(pixels, 1.32)
        difference = recoloured(pixels, draws=draws).int() - expected.int()
        assert difference.abs().max() <= 1, name


def test_brightness_and_contrast_of_other_channel_counts_turn_about_their_common_mean():
    pixels = torch.tensor([80, 120], dtype=torch.uint8).view(1, 2, 1, 1)
    contrast = recoloured(pixels, draws=[0.0, 0.5, 1.0, 0.9, 0.9])
    assert contrast.flatten().tolist() == [72, 128]  # 100 -/+ 1.4 * 20
    assert recoloured(pixels, draws=[0.0, 0.0, 0.5, 0.9, 0.9]).flatten().tolist() == [48, 72]


@pytest.mark.parametrize("colour", [(200, 90, 90), (90, 170, 80), (100, 110, 190)])
def test_hue_moves_by_about_a_tenth_of_a_turn_and_keeps_the_luminance(colour):
    pixels = torch.tensor(colour, dtype=torch.uint8).view(1, 3, 1, 1)
    weights = torch.tensor([0.299, 0.587, 0.114])
    before = colorsys.rgb_to_hsv(*(value / 255 for value in colour))[0]
    moves = []
    for draw in (0.0, 1.0):
        result = recoloured(pixels, draws=[0.0, 0.5, 0.5, 0.5, draw]).flatten()
        assert float(weights @ result.float()) == pytest.approx(
            float(weights @ pixels.flatten().float()), abs=1
        )
        after = colorsys.rgb_to_hsv(*(float(value) / 255 for value in result))[0]
        moves.append((after - before + 0.5) % 1 - 0.5)
    assert moves[0] * moves[1] < 0
    assert all(0.04 < abs(move) < 0.16 for move in moves)


def test_four_of_five_images_change_their_colours():
    draws = torch.rand(4000, 5, generator=stream())
    mixtures, pivots = strong_augment._colours(draws, 3)
    kept = (mixtures - torch.eye(3)).abs().amax((1, 2)) < 1e-6
    assert float(kept.float().mean()) == pytest.approx(0.2, abs=0.02)
    assert pivots[kept].abs().max() == 0


def test_bright_and_dark_pixels_are_cut_off_and_do_not_wrap_around():
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    result = recoloured(pixels, draws=[0.0, 1.0, 1.0, 0.5, 0.5])
    assert result.flatten().tolist() == [0, 255]
