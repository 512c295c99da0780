"""The data sets that need no files of the user's: ``nuclei`` and ``digits``."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from benchbase.data import nuclei
from benchbase.data.contract import DataParts
from benchbase.data.digits import Digits
from benchbase.data.leakage import count_leaks
from benchbase.data.nuclei import COLUMNS, FIELD, PATCH, Nuclei, pixel_classes
from benchbase.errors import DataError


@pytest.fixture(scope="module")
def patches() -> DataParts:
    return Nuclei().load([], Path())


def test_the_class_of_a_pixel_is_that_of_its_five_by_five_neighbourhood() -> None:
    mask = np.zeros((9, 9), dtype=np.uint8)
    mask[2:, :] = 1
    mask[:, 6:] = 2
    classes = pixel_classes(mask)
    # Rows 0 to 3 touch the edge between rows 1 and 2, columns 4 to 7 that between 5 and 6.
    assert classes[:, 0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert classes[8].tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 2]
    assert pixel_classes(np.zeros((5, 5), dtype=np.uint8)).tolist() == [[0] * 5] * 5


def test_the_field_has_the_class_shares_that_were_published_with_it() -> None:
    with np.load(FIELD) as field:
        shares = np.bincount(pixel_classes(field["mask"]).ravel()) / 512**2
    assert shares == pytest.approx([0.71, 0.17, 0.12], abs=0.005)


def test_patches_are_drawn_class_balanced(patches: DataParts) -> None:
    assert patches.classes == ("background", "boundary", "interior")
    assert patches.validation is not None
    assert patches.trusted is not None
    assert np.bincount(patches.train.labels).tolist() == [667, 667, 666]
    assert np.bincount(patches.validation.labels).tolist() == [167, 167, 166]
    assert np.bincount(patches.test.labels).tolist() == [334, 333, 333]
    assert np.bincount(patches.trusted.labels).tolist() == [30, 30, 30]
    assert patches.train.pixels.shape == (2000, 1, 32, 32)
    assert Nuclei.invariances.windows == "centre"


def test_a_patch_is_the_reflected_surroundings_of_its_centre(patches: DataParts) -> None:
    with np.load(FIELD) as field:
        image, classes = field["image"], pixel_classes(field["mask"])
    reflected = np.pad(image, 16, mode="reflect")
    places = {
        reflected[row : row + 32, column : column + 32].tobytes(): (row, column)
        for row in range(512)
        for column in range(416, 512)
    }
    for patch, label in zip(patches.test.pixels, patches.test.labels, strict=True):
        place = places[patch.tobytes()]  # A KeyError is a patch from elsewhere.
        assert classes[place] == label


def test_no_pixel_is_shared_between_parts() -> None:
    reached = sorted(
        (first - PATCH // 2, last + PATCH // 2 - 1) for first, last, _ in COLUMNS.values()
    )
    for (_, last), (first, _) in itertools.pairwise(reached):
        assert last < first


def test_no_patch_stands_in_two_parts(patches: DataParts) -> None:
    assert set(count_leaks(patches).values()) == {0}


def test_two_readings_give_the_same_patches(patches: DataParts) -> None:
    again = Nuclei().load([], Path())
    assert again.train.pixels.tobytes() == patches.train.pixels.tobytes()
    assert again.test.labels.tobytes() == patches.test.labels.tobytes()


@pytest.mark.parametrize("size", [0, 5000])
def test_a_damaged_field_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    damaged = tmp_path / "nuclei.npz"
    damaged.write_bytes(FIELD.read_bytes()[:size])
    monkeypatch.setattr(nuclei, "FIELD", damaged)
    with pytest.raises(DataError, match=r"nuclei\.npz is damaged .* install benchbase again"):
        Nuclei().load([], Path())


def test_a_field_of_another_shape_or_none_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "nuclei.npz"
    monkeypatch.setattr(nuclei, "FIELD", other)
    with pytest.raises(DataError, match=r"missing .* install benchbase again"):
        Nuclei().files([])
    np.savez(other, image=np.zeros((8, 8)), mask=np.zeros((8, 8)))
    with pytest.raises(DataError, match=r"\(512, 512\), found \(8, 8\)"):
        Nuclei().load([], Path())


def test_digits_are_up_sampled_and_split_once_and_for_all() -> None:
    parts = Digits().load([], Path())
    assert parts.train.pixels.shape == (1397, 1, 32, 32)
    assert parts.test.pixels.shape == (400, 1, 32, 32)
    assert parts.train.pixels.dtype == np.uint8
    assert (parts.train.pixels.min(), parts.train.pixels.max()) == (0, 255)
    blocks = parts.test.pixels.reshape(400, 8, 4, 8, 4)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    assert (parts.test.labels == Digits().load([], Path()).test.labels).all()
    assert np.bincount(parts.test.labels).min() > 25
    assert set(count_leaks(parts).values()) == {0}
    assert [path.is_file() for path in Digits().files([])] == [True]
