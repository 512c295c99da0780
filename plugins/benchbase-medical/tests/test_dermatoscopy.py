"""HAM10000 and ISIC 2018 in the layouts of their archives, and the real files where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from benchbase_medical.dermatoscopy import CHALLENGE_2018, Ham10000, Isic2018

from benchbase import DataError
from benchbase.testing.conformance import parametrize_with_checks

# Two images of each lesion, three lesions of each class.
DIAGNOSES = [name.lower() for name in CHALLENGE_2018]
ROWS = [
    (f"HAM_{lesion:07}", f"ISIC_{2 * lesion + view:07}", DIAGNOSES[lesion % 7])
    for lesion in range(21)
    for view in range(2)
]
IMAGES = [f"{image}.jpg" for _, image, _ in ROWS]


@pytest.fixture
def write_archive(write_images, write_table):
    def write(folder: Path, table: str, parts: tuple[str, ...], delimiter: str = ",") -> Path:
        header = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
        rows = [(*row, "histo", "", "male", "scalp") for row in ROWS]
        write_table(folder / table, [header, *rows], delimiter)
        for index, part in enumerate(parts):
            write_images(folder / part, IMAGES[index :: len(parts)])
        return folder

    return write


@pytest.fixture
def write_challenge(write_images, write_table):
    def write(folder: Path, part: str, rows: list[tuple[str, str, str]]) -> Path:
        name = f"ISIC2018_Task3_{part}"
        write_images(folder / f"{name}_Input", [f"{image}.jpg" for _, image, _ in rows])
        (folder / f"{name}_Input" / "LICENSE.txt").write_text("CC BY-NC 4.0")
        truth = [
            (image, *(f"{float(column.lower() == dx)}" for column in CHALLENGE_2018))
            for _, image, dx in rows
        ]
        write_table(
            folder / f"{name}_GroundTruth" / f"{name}_GroundTruth.csv",
            [("image", *CHALLENGE_2018), *truth],
        )
        if part == "Training":
            grouped = [(image, lesion, "histopathology") for lesion, image, _ in rows]
            header = ("image", "lesion_id", "diagnosis_confirm_type")
            write_table(folder / f"{name}_LesionGroupings.csv", [header, *grouped])
        return folder

    return write


@pytest.fixture
def ham(tmp_path: Path, write_archive) -> Path:
    return write_archive(tmp_path / "ham10000", "HAM10000_metadata.csv", ("images",))


@parametrize_with_checks([Ham10000])
def test_it_keeps_the_contract(dataset, check, ham: Path) -> None:
    check(dataset, [ham])


def test_its_layouts_hold_the_same(tmp_path: Path, ham: Path, load, write_archive, write_challenge):
    parts = ("HAM10000_images_part_1", "HAM10000_images_part_2")
    folders = [
        write_archive(tmp_path / "dataverse", "HAM10000_metadata", parts),
        write_archive(tmp_path / "tab", "HAM10000_metadata.tab", parts, "\t"),
        write_challenge(tmp_path / "challenge", "Training", ROWS),
    ]
    first = load(Ham10000(), ham)
    for folder in folders:
        other = load(Ham10000(), folder)
        assert other.classes == first.classes
        for name in ("train", "test"):
            one, two = getattr(first, name), getattr(other, name)
            np.testing.assert_array_equal(one.pixels, two.pixels)
            np.testing.assert_array_equal(one.labels, two.labels)
        np.testing.assert_array_equal(other.groups, first.groups)


def test_a_lesion_is_on_one_side(ham: Path, load) -> None:
    parts = load(Ham10000(size=8), ham)
    assert not np.intersect1d(parts.groups, parts.test_groups).size
    assert (len(parts.train) + len(parts.test), parts.train.pixels.shape[1:]) == (42, (3, 8, 8))


def test_the_data_root_is_the_folder_or_its_parent(ham: Path) -> None:
    assert Ham10000().files([ham]) == Ham10000().files([ham.parent])
    assert len(Ham10000().files([ham])) == 43


def test_missing_data_say_what_goes_where(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ham10000: not in .*; HAM10000_metadata and the unpacked"):
        Ham10000().files([tmp_path])
    with pytest.raises(DataError, match="ham10000: no --data-root is given; HAM10000_metadata"):
        Ham10000().files([])


def test_missing_images_are_counted_and_named(ham: Path) -> None:
    (ham / "images" / IMAGES[5]).unlink()
    shutil.move(ham / "images" / IMAGES[6], ham / "images" / "other.jpg")
    lost = r"2 of 42 images are missing below .*images, such as ISIC_0000005, ISIC_0000006"
    with pytest.raises(DataError, match=lost):
        Ham10000().files([ham])


def test_a_row_of_two_diagnoses_is_refused(tmp_path: Path, write_challenge) -> None:
    folder = write_challenge(tmp_path, "Training", ROWS)
    path = folder / "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv"
    path.write_text(path.read_text().replace("1.0,0.0", "1.0,1.0", 1))
    with pytest.raises(DataError, match=r"row 2: expected 1\.0 in one of MEL, NV"):
        Ham10000().files([folder])


@parametrize_with_checks([Isic2018])
def test_the_challenge_keeps_the_contract(dataset, check, tmp_path: Path, write_challenge) -> None:
    folder = write_challenge(tmp_path, "Training", ROWS[:28])
    check(dataset, [write_challenge(folder, "Test", ROWS[28:])])


def test_the_challenge_is_judged_by_its_own_test_part(ham: Path, load, write_challenge) -> None:
    strangers = [("", f"ISIC_9{row:06}", dx) for row, dx in enumerate(DIAGNOSES)]
    write_challenge(ham, "Test", strangers)
    parts = load(Isic2018(), ham)
    assert (len(parts.train), len(parts.test)) == (42, 7)
    assert len(np.unique(parts.groups)) == 21


def test_the_real_files_are_read(real_data: Path) -> None:
    dataset = Ham10000()
    listed = dataset.listing(real_data / "ham10000")
    if listed is None:
        pytest.skip("no ham10000 among the real data")
    assert len(listed.names) == 10_015
    assert len(set(listed.groups)) == 7_470
    assert {name: listed.labels.count(name) for name in DIAGNOSES} == dict(dataset.card.classes)
