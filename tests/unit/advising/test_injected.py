"""What is written is what ``npz:`` and the noise ``matrix`` read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchbase.advising.injected import rates, remember, remembered, write_injected
from benchbase.cell import Invariances
from benchbase.data.maps import lay_out
from benchbase.data.noise import MatrixNoise
from benchbase.data.own.npz_file import NpzFile
from benchbase.suspects.labelled import Labelled
from benchbase.suspects.noise import Noise

PIXELS = np.arange(20 * 3 * 64, dtype=np.int64).astype(np.uint8).reshape(20, 3, 8, 8)
JOINT = np.array([[0.2, 0.1], [0.0, 0.7]])
IMAGES = Labelled(
    names=tuple(f"{row}.png" for row in range(20)),
    classes=("dark", "bright"),
    map=lay_out(Path(), np.arange(20), PIXELS),
    labels=np.arange(20) % 2,
    groups=np.arange(20) // 2,
    parts=("train",) * 14 + ("test",) * 6,
)
# Most images look bright: the classes change places.
NOISE = Noise(np.zeros(20), np.array([0, 1, 1, 1] * 5), JOINT)


def read(tmp_path, images=IMAGES):
    written = write_injected(tmp_path, images, NOISE, Invariances(flips="none"))
    dataset = NpzFile(**written.dataset_options)
    return written, dataset, dataset.load([], tmp_path)


def test_the_suggested_classes_count_as_true_and_split_and_groups_stay(tmp_path):
    _, dataset, parts = read(tmp_path)
    assert parts.classes == ("bright", "dark")
    assert (len(parts.train), len(parts.test)) == (14, 6)
    assert (parts.train.labels == 1 - NOISE.classes[:14]).all()
    assert (parts.train.pixels == IMAGES.pixels[:14]).all()
    assert len(set(parts.groups)) == 7
    assert dataset.invariances.flips == "none"


def test_the_noise_is_written_in_the_order_of_the_classes(tmp_path):
    written, _, _ = read(tmp_path)
    found = MatrixNoise(file=written.noise_file).transition(2)
    assert found == pytest.approx(np.array([[1, 0], [1 / 3, 2 / 3]]))


def test_verified_training_images_stay_verified(tmp_path):
    verified = np.arange(20) % 5 == 0
    _, _, parts = read(tmp_path, dataclasses.replace(IMAGES, verified=verified))
    assert parts.verified.nonzero()[0].tolist() == [0, 5, 10]
    assert not parts.test_verified


def test_a_class_that_nobody_sees_has_no_noise():
    assert rates(np.array([[0.4, 0.6], [0.0, 0.0]])) == pytest.approx(
        np.array([[0.4, 0.6], [0.0, 1.0]])
    )


def test_an_estimate_is_found_again_and_a_damaged_one_is_not(tmp_path):
    path = tmp_path / "noise.npz"
    assert remembered(path) is None
    remember(path, NOISE)
    found = remembered(path)
    assert found is not None
    assert found.rate == pytest.approx(0.1)
    assert (found.classes == NOISE.classes).all()
    path.write_bytes(b"no npz")
    assert remembered(path) is None
