"""Arrays in npz files: MedMNIST's layout and plain ones."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.data.own.npz_file import NpzFile
from benchbase.errors import DataError

RNG = np.random.Generator(np.random.PCG64(0))


def images(count: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, 255, (count, *(shape or (6, 6, 3))), dtype=np.uint8)


def medmnist(**changes) -> dict:
    arrays = {}
    for part, count in (("train", 8), ("val", 4), ("test", 6)):
        arrays[f"{part}_images"] = images(count)
        arrays[f"{part}_labels"] = (np.arange(count) % 2).astype(np.uint8)[:, None]
    return {name: array for name, array in {**arrays, **changes}.items() if array is not None}


def plain(**changes) -> dict:
    arrays = {"images": images(20), "labels": np.arange(20) % 2}
    return {name: array for name, array in {**arrays, **changes}.items() if array is not None}


def load(tmp_path, arrays: dict, **options):
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    return NpzFile(path=str(path), **options).load([], tmp_path)


def test_the_layout_of_medmnist_gives_its_parts_as_they_are(tmp_path):
    arrays = medmnist()
    parts = load(tmp_path, arrays)
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [8, 4, 6]
    assert (parts.train.pixels == arrays["train_images"].transpose(0, 3, 1, 2)).all()
    assert parts.train.labels.tolist() == [0, 1] * 4
    assert "train/7,train,1" in parts.split_file.splitlines()


def test_plain_arrays_give_groups_and_a_split_where_they_hold_them(tmp_path):
    groups = np.arange(20) // 2
    parts = load(tmp_path, plain(groups=groups, labels=np.array(["nv", "mel"] * 10)))
    assert parts.classes == ("mel", "nv")
    assert parts.groups is not None
    assert parts.test_groups is not None
    assert not set(parts.groups) & set(parts.test_groups)
    split = np.array(["train"] * 12 + ["dev"] * 4 + ["test"] * 4)
    parts = load(tmp_path, plain(split=split))
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [12, 4, 4]


def test_images_whose_group_is_not_known_stand_alone(tmp_path):
    groups = np.where(np.arange(20) < 8, np.nan, np.arange(20) // 2)
    np.savez(tmp_path / "set.npz", **plain(groups=groups))
    listed = NpzFile(path=str(tmp_path / "set.npz")).listing()
    assert listed.groups is not None
    assert len({*listed.groups}) == 8 + 6


@pytest.mark.parametrize(
    ("shape", "seen"), [((6, 6), (1, 6, 6)), ((6, 9, 1), (1, 6, 9)), ((6, 6, 5), (5, 6, 6))]
)
def test_one_channel_many_channels_and_rectangles_stay_as_they_are(tmp_path, shape, seen):
    assert load(tmp_path, plain(images=images(20, *shape))).train.pixels.shape[1:] == seen


def test_a_size_that_is_asked_for_is_made(tmp_path):
    assert load(tmp_path, medmnist(), size=12).train.pixels.shape[1:] == (3, 12, 12)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.arange(3)}, "holds no train_images, but x; expected train_images"),
        (medmnist(test_labels=None), "holds no test_labels"),
        (plain(labels=None), "holds images and no labels"),
        (plain(labels=np.arange(7)), "labels: expected one for each of 20 images, found (7,)"),
        (plain(labels=np.eye(20)), "holds 20 labels an image"),
        (plain(labels=np.linspace(0, 1, 20)), "the labels are numbers such as"),
        (plain(images=images(20).astype(float)), "images: expected uint8 from 0 to 255, found"),
        (
            plain(images=images(20, 3, 6, 6)),
            "expected the channels last, found (20, 3, 6, 6): save",
        ),
        (plain(images=images(20, 6)), "expected (count, height, width)"),
        (plain(labels=np.array([{"a": 1}] * 20)), "holds Python objects"),
        (plain(split=np.array(["x"] * 20)), "split 0: 'x': expected one of train"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(tmp_path, arrays, message):
    with pytest.raises(DataError, match=r"npz:.*set\.npz") as caught:
        load(tmp_path, arrays)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no zip at all"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is no npz file"):
        NpzFile(path=str(path)).load([], tmp_path)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "set.npy", np.arange(3))
    with pytest.raises(DataError, match="is a single array"):
        NpzFile(path=str(tmp_path / "set.npy")).load([], tmp_path)


def test_an_array_truth_judges_beside_labels_as_given(tmp_path):
    given = np.arange(20) % 2
    truth = np.where(np.arange(20) == 3, 0, given)
    parts = load(tmp_path, plain(labels=given, truth=truth))
    assert parts.train.given is not None
    assert parts.test.given is not None
    differ = sum((it.labels != it.given).sum() for it in (parts.train, parts.test))
    assert differ == 1
    assert NpzFile.has_truth({"path": str(tmp_path / "set.npz")})
    with pytest.raises(DataError, match="truth: expected one for each of 20 images"):
        load(tmp_path, plain(truth=np.arange(3)))


def test_no_array_and_no_file_are_no_truth(tmp_path):
    load(tmp_path, plain())
    assert not NpzFile.has_truth({"path": str(tmp_path / "set.npz")})
    assert not NpzFile.has_truth({"path": str(tmp_path / "none.npz")})
