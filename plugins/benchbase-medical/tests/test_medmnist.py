"""MedMNIST's files, as they are published: images, numbers as labels, three parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchbase_medical.medmnist import SETS, DermaMnistC

from benchbase import DataError
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import parametrize_with_checks

BY_NAME = {dataset.name: dataset for dataset in SETS}
BLOOD = BY_NAME["bloodmnist"]


def write(path: Path, classes: int, side: int = 28, channels: tuple[int, ...] = (3,)) -> None:
    path.parent.mkdir(exist_ok=True)
    arrays = {}
    for part, each in (("train", 3), ("val", 1), ("test", 2)):
        rng = numpy_stream(0, "medmnist", part)
        shape = (classes * each, side, side, *channels)
        arrays[f"{part}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(classes * each, dtype=np.uint8)[:, None] % classes
    np.savez(path, **arrays)


@parametrize_with_checks([BLOOD])
def test_it_keeps_the_contract(dataset, check, tmp_path: Path) -> None:
    write(tmp_path / "bloodmnist.npz", 8)
    check(dataset, [tmp_path])


@pytest.mark.parametrize("dataset", SETS, ids=lambda dataset: dataset.name)
def test_each_set_reads_its_file_and_names_its_classes(dataset, tmp_path: Path, load) -> None:
    [file] = dataset.card.files
    write(tmp_path / "medmnist" / file.name, len(dataset.labels), channels=())
    parts = load(dataset(), tmp_path)
    assert set(parts.classes) == set(dataset.labels)
    assert parts.classes[parts.train.labels[1]] == dataset.labels[1]
    assert parts.train.pixels.shape == (3 * len(dataset.labels), 1, 28, 28)


def test_a_larger_version_is_chosen_by_its_size(tmp_path: Path, load) -> None:
    write(tmp_path / "bloodmnist.npz", 8)
    write(tmp_path / "bloodmnist_64.npz", 8, side=64)
    assert load(BLOOD(size=64), tmp_path).train.pixels.shape[2:] == (64, 64)
    with pytest.raises(DataError, match=r"bloodmnist: not in .*; bloodmnist\.npz"):
        BLOOD(size=128).files([tmp_path])


def test_labels_that_it_does_not_have_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "bloodmnist.npz", 9)
    with pytest.raises(DataError, match="expected labels from 0 to 7, found 8"):
        BLOOD().files([tmp_path])


def test_the_leak_of_dermamnist_is_said_and_the_set_without_it_is_named() -> None:
    [problem] = BY_NAME["dermamnist"].card.problems
    assert DermaMnistC.name in problem
    assert BY_NAME["dermamnist-c"] is DermaMnistC
