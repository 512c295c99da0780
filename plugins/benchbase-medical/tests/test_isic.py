"""ISIC 2019 and 2020 in the layouts of their archives, and MTC in the one that is documented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchbase_medical.isic import CHALLENGE_2019, Isic2019, Isic2020
from benchbase_medical.mtc import Mtc

from benchbase import DataError
from benchbase.testing.conformance import parametrize_with_checks

KINDS = CHALLENGE_2019[:-1]
NAMES_2019 = [f"ISIC_{row:07}" + "_downsampled" * (row % 3 == 0) for row in range(48)]
NAMES_2020 = [f"ISIC_{row:07}" for row in range(40)]
HEADER_2020 = (
    *("image_name", "patient_id", "sex", "age_approx"),
    *("anatom_site_general_challenge", "diagnosis", "benign_malignant", "target"),
)


@pytest.fixture
def isic2019(tmp_path: Path, write_images, write_table) -> Path:
    folder = tmp_path / "ISIC2019"
    write_images(folder / "ISIC_2019_Training_Input", [f"{name}.jpg" for name in NAMES_2019])
    truth = [
        (name, *(float(kind == KINDS[row % 8]) for kind in CHALLENGE_2019))
        for row, name in enumerate(NAMES_2019)
    ]
    write_table(folder / "ISIC_2019_Training_GroundTruth.csv", [("image", *CHALLENGE_2019), *truth])
    header = ("image", "age_approx", "anatom_site_general", "lesion_id", "sex")
    # Neighbours eight apart are of one class; the last eight images are of no known lesion.
    lesions = [f"BCN_{row % 8}{row // 16}" if row < 40 else "" for row in range(48)]
    metadata = [
        (name, 55, "", lesion, "female") for name, lesion in zip(NAMES_2019, lesions, strict=True)
    ]
    write_table(folder / "ISIC_2019_Training_Metadata.csv", [header, *metadata])
    return folder


@pytest.fixture
def isic2020(tmp_path: Path, write_images, write_table) -> Path:
    folder = tmp_path / "isic2020"
    write_images(
        folder / "ISIC_2020_Training_JPEG" / "train", [f"{name}.jpg" for name in NAMES_2020]
    )
    rows = [
        (name, f"IP_{row // 4}", "male", 45.0, "torso", "unknown", kind, int(kind == "malignant"))
        for row, name in enumerate(NAMES_2020)
        for kind in ["malignant" if row % 8 == 0 else "benign"]
    ]
    write_table(folder / "ISIC_2020_Training_GroundTruth.csv", [HEADER_2020, *rows])
    return folder


@pytest.fixture
def mtc(tmp_path: Path, write_images, write_table) -> Path:
    folder = tmp_path / "mtc"
    write_images(folder / "images", [f"{row}.png" for row in range(12)])
    rows = [
        (row, ("benign", "mtc")[row % 2], row // 2, ("train", "val", "test")[row // 4])
        for row in range(12)
    ]
    write_table(folder / "labels.csv", [("image", "label", "patient", "split"), *rows])
    return folder


@parametrize_with_checks([Isic2019])
def test_2019_keeps_the_contract(dataset, check, isic2019: Path) -> None:
    check(dataset, [isic2019])


@parametrize_with_checks([Isic2020])
def test_2020_keeps_the_contract(dataset, check, isic2020: Path) -> None:
    check(dataset, [isic2020.parent])


@parametrize_with_checks([Mtc])
def test_mtc_keeps_the_contract(dataset, check, mtc: Path) -> None:
    check(dataset, [mtc])


def test_lesions_of_2019_are_on_one_side_and_unknown_ones_stand_alone(isic2019: Path, load) -> None:
    parts = load(Isic2019(), isic2019)
    assert len(np.union1d(parts.groups, parts.test_groups)) == 24 + 8
    assert set(parts.classes) == {kind.lower() for kind in KINDS}


def test_patients_of_2020_are_on_one_side(isic2020: Path, load) -> None:
    parts = load(Isic2020(), isic2020)
    assert parts.classes == ("benign", "malignant")
    assert len(np.union1d(parts.groups, parts.test_groups)) == 10


def test_2020_is_read_as_the_competition_has_it(isic2020: Path) -> None:
    (isic2020 / "ISIC_2020_Training_GroundTruth.csv").rename(isic2020 / "train.csv")
    (isic2020 / "jpeg").mkdir()
    (isic2020 / "ISIC_2020_Training_JPEG" / "train").rename(isic2020 / "jpeg" / "train")
    (isic2020 / "ISIC_2020_Training_JPEG").rmdir()
    assert len(Isic2020().files([isic2020])) == 41


def test_the_parts_of_mtc_are_those_of_its_table(mtc: Path, load) -> None:
    parts = load(Mtc(), mtc)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("dataset", "said"),
    [(Isic2019, "ISIC_2019_Training_Input"), (Isic2020, "jpeg/train"), (Mtc, r"labels\.csv")],
)
def test_what_is_missing_is_said_with_where_it_goes(dataset, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{dataset.name}: not in .*{said}"):
        dataset().files([tmp_path])
