"""CIFAR-10 and the labels that people gave, in the format of their files."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from benchbase_medical.cifar import ARCHIVE, BATCHES, HUMAN, VERSIONS, Cifar10, Cifar10N
from torchvision.datasets import CIFAR10

from benchbase import DataError
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import parametrize_with_checks

LABELS = [row % 10 for row in range(20)]


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write batches, and publish their checksums where torchvision looks."""
    folder = tmp_path / "cifar10"
    (folder / BATCHES).mkdir(parents=True)

    def batch(name: str) -> list[str]:
        pixels = numpy_stream(0, name).integers(0, 256, (20, 3072), dtype=np.uint8)
        path = folder / BATCHES / name
        path.write_bytes(pickle.dumps({"data": pixels, "labels": LABELS}))
        return [name, md5(path)]

    monkeypatch.setattr(CIFAR10, "train_list", [batch("data_batch_1"), batch("data_batch_2")])
    monkeypatch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    meta = folder / BATCHES / "batches.meta"
    meta.write_bytes(pickle.dumps({"label_names": [str(label) for label in range(10)]}))
    monkeypatch.setattr(
        CIFAR10, "meta", {"filename": meta.name, "key": "label_names", "md5": md5(meta)}
    )
    return folder


@pytest.fixture
def human(cifar: Path) -> Path:
    """Write the labels that people gave; each version has another wrong one."""
    given = {"clean_label": np.array(LABELS * 2)}
    for row, key in enumerate(VERSIONS.values()):
        given[key] = given["clean_label"].copy()
        given[key][row] = 9
    torch.save(given, cifar / HUMAN)
    return cifar


@parametrize_with_checks([Cifar10])
def test_it_keeps_the_contract(dataset, check, cifar: Path) -> None:
    check(dataset, [cifar])


@parametrize_with_checks([Cifar10N])
def test_the_labels_of_people_keep_the_contract(dataset, check, human: Path) -> None:
    check(dataset, [human])


def test_the_archive_is_read_like_the_unpacked_batches(cifar: Path, load, monkeypatch) -> None:
    unpacked = load(Cifar10(), cifar.parent)
    with tarfile.open(cifar / ARCHIVE, "w:gz") as archive:
        archive.add(cifar / BATCHES, BATCHES)
    (cifar / BATCHES).rename(cifar / "elsewhere")
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(cifar / ARCHIVE))
    packed = load(Cifar10(), cifar)
    np.testing.assert_array_equal(packed.train.pixels, unpacked.train.pixels)
    assert packed.test.labels.tolist() == LABELS


def test_pickles_of_another_checksum_are_not_opened(cifar: Path, load) -> None:
    (cifar / BATCHES / "data_batch_2").write_bytes(pickle.dumps({"data": [], "labels": []}))
    with pytest.raises(DataError, match="are not opened: unpack cifar-10-python"):
        load(Cifar10(), cifar)
    with tarfile.open(cifar / ARCHIVE, "w:gz") as archive:
        archive.add(cifar / BATCHES, BATCHES)
    (cifar / BATCHES).rename(cifar / "elsewhere")
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: expected md5 .*is not opened"):
        load(Cifar10(), cifar)


@pytest.mark.parametrize("version", VERSIONS)
def test_noise_real_shows_the_version_that_is_asked_for(human: Path, load, version: str) -> None:
    parts = load(Cifar10N(labels=version), human)
    wrong = np.flatnonzero(parts.train.given != parts.train.labels)
    assert wrong.tolist() == [[*VERSIONS].index(version)]
    assert (parts.test.given == parts.test.labels).all()


def test_labels_of_other_images_are_refused(human: Path, load) -> None:
    torch.save({key: np.zeros(40, int) for key in ("clean_label", "worse_label")}, human / HUMAN)
    with pytest.raises(DataError, match="its clean labels are not those of CIFAR-10"):
        load(Cifar10N(), human)


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_the_labels_of_people_run_no_code(human: Path, load, tmp_path: Path) -> None:
    torch.save({"clean_label": Trap(tmp_path / "ran")}, human / HUMAN)
    with pytest.raises(DataError, match=r"CIFAR-10_human\.pt: holds no labels"):
        load(Cifar10N(), human)
    assert not (tmp_path / "ran").exists()


def test_missing_labels_say_where_they_go(cifar: Path) -> None:
    with pytest.raises(DataError, match=r"cifar10n: not in .*, and data/CIFAR-10_human\.pt of"):
        Cifar10N().files([cifar])
