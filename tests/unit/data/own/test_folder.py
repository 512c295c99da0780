"""Images in a folder for each class."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchbase.data.cache import prepare
from benchbase.data.own import duplicates
from benchbase.data.own.folder import Folder
from benchbase.errors import DataError, UsageError
from tests.unit.data.own.conftest import patch


def load(path: Path, scratch: Path | None = None, **options):
    return Folder(path=str(path), size=8, **options).load([], scratch or path)


def counts(part) -> list[int]:
    return [Counter(part.labels.tolist())[label] for label in range(max(part.labels) + 1)]


def test_folders_are_classes_the_most_frequent_first_and_a_fifth_of_each_tests(class_folders):
    parts = load(class_folders(nevus=10, melanoma=20, **{"weiß, [2]": 5}))
    assert parts.classes == ("melanoma", "nevus", "weiß, [2]")
    assert counts(parts.train) == [16, 8, 4]
    assert counts(parts.test) == [4, 2, 1]
    assert parts.train.pixels.shape == (28, 3, 8, 8)
    assert parts.groups is None


def test_the_split_is_the_same_each_time_and_told_as_a_table(class_folders):
    folder = class_folders(a=10, b=5)
    first, second = load(folder), load(folder)
    assert first.split_file == second.split_file
    lines = first.split_file.splitlines()
    assert lines[0] == "image,split,label"
    assert len(lines) == 16
    assert sum(",test," in line for line in lines) == 3
    assert any(line.startswith("a/a_0.png,") and line.endswith(",a") for line in lines)


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "dev"])
def test_folders_train_val_and_test_are_the_parts(class_folders, validation):
    folder = class_folders("set/train", a=4, b=3).parent
    class_folders(f"set/{validation}", a=2, b=1)
    class_folders("set/Test", a=1, b=1)
    parts = load(folder)
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [7, 3, 2]
    assert parts.classes == ("a", "b")


def test_without_a_test_folder_the_test_images_are_drawn_from_train(class_folders):
    folder = class_folders("set/train", a=10, b=10).parent
    class_folders("set/val", a=2, b=1)
    parts = load(folder)
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [16, 3, 4]
    assert any("test images drawn" in note for note in parts.notes)


def test_a_folder_beside_train_that_is_no_part_is_named(class_folders):
    folder = class_folders("set/train", a=4, b=3).parent
    class_folders("set", others=2)
    with pytest.raises(DataError, match=r"beside train/: 'others': expected one of train"):
        load(folder)


def test_a_pattern_reads_groups_off_names_and_says_who_stands_alone(tmp_path):
    number = 0
    for person in range(10):
        for view in range(3):
            path = tmp_path / ("ab"[person % 2]) / f"person{person}_{view}.png"
            path.parent.mkdir(exist_ok=True)
            patch(number).save(path)
            number += 1
    patch(98).save(tmp_path / "a" / "scan.png")
    parts = load(tmp_path, group=r"person(\d+)_")
    assert parts.groups is not None
    assert parts.test_groups is not None
    assert not set(parts.groups) & set(parts.test_groups)
    assert 5 <= len(parts.test) <= 8
    [note] = [note for note in parts.notes if "pattern" in note]
    assert "10, and 1 images whose names do not match stand alone" in note


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("patient", "expected a pattern of file names"),
        (r"nobody(\d+)", "matches none of 15 names, such as 'a/a_0.png'"),
        (r"a(\d+", "is no regular expression"),
        (r"a\(", "expected a group in parentheses"),
    ],
)
def test_a_pattern_that_finds_no_group_is_refused(class_folders, pattern, message):
    with pytest.raises(DataError, match="group=") as caught:
        load(class_folders(a=10, b=5), group=pattern)
    assert message in str(caught.value)


def test_a_split_of_the_user_s_decides(class_folders, tmp_path):
    folder = class_folders(a=4, b=4)
    names = [f"{name}_{index}" for name in "ab" for index in range(4)]
    sides = ["train", "train", "val", "test"] * 2
    rows = "".join(f"{name},{side}\n" for name, side in zip(names, sides, strict=True))
    split = tmp_path / "split.csv"
    split.write_text(f"image,split\n{rows}")
    parts = load(folder, split_file=str(split))
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [4, 2, 2]
    assert "split as split.csv says" in parts.notes
    # What benchbase wrote is such a file as well.
    split.write_text(parts.split_file)
    assert load(folder, split_file=str(split)).split_file == parts.split_file


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a_0,train\n", "7 of 8 images have no part, such as a/a_1.png"),
        ("nobody,train\n", "row 2: there is no image 'nobody'"),
        ("a_0,train\na_0,test\n", "row 3: the image 'a_0' stands in two parts"),
        ("a_0,third\n", "row 2: 'third': expected one of train"),
    ],
)
def test_a_split_that_does_not_fit_is_refused_by_row(class_folders, tmp_path, rows, message):
    split = tmp_path / "split.csv"
    split.write_text(f"image,split\n{rows}")
    with pytest.raises(DataError) as caught:
        load(class_folders(a=4, b=4), split_file=str(split))
    assert message in str(caught.value)


def test_grey_images_among_colours_are_repeated_and_that_is_said(class_folders):
    folder = class_folders(a=5, b=5)
    patch(77, "L").save(folder / "a" / "grey.png")
    parts = load(folder)
    assert parts.train.pixels.shape[1] == 3
    assert any("1 of 11 images are grey" in note for note in parts.notes)


def test_files_that_are_no_images_are_left_out_and_counted(class_folders):
    folder = class_folders(a=3, b=3)
    (folder / "readme.txt").write_text("notes")
    (folder / ".hidden.png").write_text("")
    assert "1 other files left out" in load(folder).notes


def test_an_image_that_cannot_be_read_is_named(class_folders):
    folder = class_folders(a=3, b=3)
    (folder / "b" / "odd.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"folder:.*: b/odd\.png: not an image"):
        load(folder)


def test_images_that_cannot_be_read_are_skipped_where_asked_listed_and_in_the_fingerprint(
    class_folders, tmp_path
):
    folder = class_folders(a=6, b=6)
    whole = prepare(Folder(path=str(folder), size=8), [], tmp_path / "cache")
    (folder / "a" / "a_2.png").write_bytes(b"")
    (folder / "b" / "b_1.png").write_bytes(b"no image")
    asked = Folder(path=str(folder), size=8, on_bad_image="skip")
    skipping = prepare(asked, [], tmp_path / "cache")
    assert [fault.split(":")[0] for fault in skipping.parts.skipped] == ["a/a_2.png", "b/b_1.png"]
    assert "2 of 12 images cannot be read and are left out" in skipping.parts.notes
    assert "a_2.png" not in skipping.parts.split_file
    assert len(skipping.parts.train) + len(skipping.parts.test) == 10
    for name in ("a/a_2.png", "b/b_1.png"):
        (folder / name).unlink()
    without = prepare(Folder(path=str(folder), size=8), [], tmp_path / "cache")
    assert (without.parts.train.pixels == skipping.parts.train.pixels).all()
    assert len({each.fingerprint for each in (whole, skipping, without)}) == 3
    for name in "ab":
        for path in (folder / name).iterdir():
            path.write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 10 images can be read: a/a_0\.png: not an"):
        Folder(path=str(folder), on_bad_image="skip").load([], tmp_path)


def test_a_class_that_skipping_leaves_one_image_of_is_refused(class_folders, tmp_path):
    folder = class_folders(a=6, b=2)
    (folder / "b" / "b_1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"the class 'b' has 1 image"):
        Folder(path=str(folder), on_bad_image="skip").load([], tmp_path)


def test_a_set_too_large_to_look_for_near_duplicates_says_so(class_folders, tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 10)
    notes = Folder(path=str(class_folders(a=6, b=6)), size=8).load([], tmp_path).notes
    assert "near duplicates were not looked for: 10 x 2 pairs are too many" in notes


def test_without_a_size_images_must_be_of_one_shape(class_folders):
    folder = class_folders(a=3, b=3)
    assert Folder(path=str(folder), size=None).load([], folder).train.pixels.shape[2:] == (12, 20)
    patch(9, shape=(13, 9)).save(folder / "a" / "other.png")
    with pytest.raises(DataError, match=r"a/other\.png has the shape \(3, 9, 13\)"):
        Folder(path=str(folder), size=None).load([], folder)


def make_bad(folder: Path, kind: str) -> None:
    if kind == "empty":
        (folder / "a").mkdir()
    elif kind == "loose":
        patch(1).save(folder / "one.png")
    elif kind == "one class":
        for index in range(3):
            (folder / "a").mkdir(exist_ok=True)
            patch(index).save(folder / "a" / f"{index}.png")
    elif kind == "one image":
        make_bad(folder, "one class")
        (folder / "b").mkdir()
        patch(5).save(folder / "b" / "only.png")
    elif kind == "loop":
        make_bad(folder, "one class")
        (folder / "a" / "again").symlink_to(folder, target_is_directory=True)
    elif kind == "unreadable":
        make_bad(folder, "one image")
        patch(6).save(folder / "b" / "more.png")
        (folder / "b" / "only.png").unlink()
        (folder / "b" / "only.png").symlink_to(folder / "gone")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "there is no image below it"),
        ("loose", "one.png lies in no folder of a class"),
        ("one class", "all 3 images are of the class 'a'"),
        ("one image", "the class 'b' has 1 image, b/only.png; expected 2 or more"),
        ("loop", "again: a symbolic link that leads round in a circle"),
        ("unreadable", "b/only.png"),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_refused_by_name(tmp_path, kind, message):
    make_bad(tmp_path, kind)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert message in str(caught.value)


def test_a_path_that_is_missing_or_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder"):
        Folder(path=str(tmp_path / "gone")).files([])
    with pytest.raises(DataError, match=r"no such file or folder; options stand in brackets"):
        Folder(path=str(tmp_path / "gone[size=8")).files([])
    (tmp_path / "labels.csv").write_text("image,label\n")
    with pytest.raises(DataError, match=r"a table of images is csv:.*labels\.csv"):
        Folder(path=str(tmp_path / "labels.csv")).files([])
    with pytest.raises(UsageError, match="write folder:PATH"):
        Folder().files([])


def test_nothing_is_written_beside_the_images(class_folders, tmp_path):
    folder = class_folders(a=3, b=3)
    before = sorted(os.walk(folder))
    load(folder, tmp_path)
    assert sorted(os.walk(folder)) == before
    with Image.open(folder / "a" / "a_0.png") as image:
        assert image.size == (20, 12)
