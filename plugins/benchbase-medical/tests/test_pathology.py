"""PatchCamelyon from HDF5, and colorectal tissue from folders of TIFF files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchbase_medical.pathology import PCAM, PCAM_PARTS, TISSUE_CLASSES, NctCrcHe, Pcam

from benchbase import DataError
from benchbase.data.imbalance import Exponential
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import parametrize_with_checks

h5py = pytest.importorskip("h5py")  # an extra
PATCHES = {"train": 12, "valid": 4, "test": 6}


@pytest.fixture
def tissue(tmp_path: Path, write_images) -> Path:
    for part, count in (("NCT-CRC-HE-100K", 3), ("CRC-VAL-HE-7K", 2)):
        for kind in TISSUE_CLASSES:
            names = [f"{kind}-{part[:3]}{row}.tif" for row in range(count)]
            write_images(tmp_path / "nct-crc-he" / part / kind, names, (24, 24, 3))
    return tmp_path / "nct-crc-he"


@pytest.fixture
def pcam(tmp_path: Path) -> Path:
    folder = tmp_path / "pcam"
    folder.mkdir()
    for part in PCAM_PARTS:
        rng = numpy_stream(0, "patches", part)
        shape = (PATCHES[part], 96, 96, 3)
        write_h5(folder, part, "x", rng.integers(0, 256, shape, dtype=np.uint8))
        labels = np.arange(PATCHES[part], dtype=np.uint8) % 2
        write_h5(folder, part, "y", labels.reshape(-1, 1, 1, 1))
    return folder


def write_h5(folder: Path, part: str, name: str, values: np.ndarray) -> None:
    with h5py.File(folder / PCAM.format(part, name), "w") as file:
        file[name] = values


@parametrize_with_checks([NctCrcHe])
def test_tissue_keeps_the_contract(dataset, check, tissue: Path) -> None:
    check(dataset, [tissue.parent])


@parametrize_with_checks([Pcam])
def test_pcam_keeps_the_contract(dataset, check, pcam: Path) -> None:
    check(dataset, [pcam])


def test_the_validation_set_judges_and_classes_keep_their_order(tissue: Path, load) -> None:
    parts = load(NctCrcHe(), tissue)
    assert (len(parts.train), len(parts.test)) == (27, 18)
    assert parts.classes == TISSUE_CLASSES


def test_a_long_tail_of_100_to_1_is_that_of_the_paper() -> None:
    counts = np.array([10407, 10566, 11512, 11557, 8896, 13536, 8763, 10446, 14317])
    tail = Exponential(ratio=100.0).counts(counts)
    assert tail.tolist() == [10407, 5852, 3291, 1851, 1041, 585, 329, 185, 104]


def test_one_of_the_two_folders_is_not_enough(tissue: Path) -> None:
    (tissue / "CRC-VAL-HE-7K").rename(tissue / "elsewhere")
    with pytest.raises(DataError, match="no folder CRC-VAL-HE-7K in"):
        NctCrcHe().files([tissue])


def test_each_patch_has_its_label_and_part(pcam: Path, load) -> None:
    parts = load(Pcam(size=96), pcam.parent)
    assert parts.classes == ("no tumour", "tumour")
    with h5py.File(pcam / PCAM.format("test", "x")) as file:
        np.testing.assert_array_equal(parts.test.pixels, file["x"][:].transpose(0, 3, 1, 2))
    assert parts.test.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert (len(parts.train), len(parts.validation)) == (12, 4)


def test_a_missing_file_of_pcam_is_named(pcam: Path) -> None:
    (pcam / PCAM.format("valid", "y")).unlink()
    with pytest.raises(DataError, match=r"no camelyonpatch_level_2_split_valid_y\.h5 in"):
        Pcam().files([pcam])


@pytest.mark.parametrize("shape", [(5, 96, 96, 3), (6, 32, 32, 3), (6, 96, 96)])
def test_patches_of_another_shape_are_refused(pcam: Path, load, shape: tuple[int, ...]) -> None:
    write_h5(pcam, "test", "x", np.zeros(shape, dtype=np.uint8))
    with pytest.raises(DataError, match=r"test_x\.h5: expected 6 patches"):
        load(Pcam(), pcam)


def test_what_is_no_hdf5_is_refused(pcam: Path) -> None:
    (pcam / PCAM.format("train", "y")).write_bytes(b"gzip")
    with pytest.raises(DataError, match=r"train_y\.h5: is no HDF5 file with an array 'y'"):
        Pcam().files([pcam])


def test_without_h5py_it_is_said_what_is_needed(pcam: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match="reading it needs h5py: pip install h5py"):
        Pcam().files([pcam])
