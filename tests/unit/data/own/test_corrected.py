"""Labels that somebody corrected: training sees them, the split and the test labels stay."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchbase.cell import Scenario
from benchbase.data.imbalance import Natural
from benchbase.data.own.csv_table import CsvTable
from benchbase.data.split import split
from benchbase.errors import DataError

IMAGES = tuple(f"{index:02}.png" for index in range(40))


@pytest.fixture
def labels(table):
    """Labels take turns; the last ten images test."""
    lines = [
        f"{name},{'ab'[index % 2]},{'train' if index < 30 else 'test'}"
        for index, name in enumerate(IMAGES)
    ]
    return table("\n".join(["image,label,split", *lines, ""]), images=IMAGES)


def load(labels, tmp_path, text=None, **options):
    if text is not None:
        (tmp_path / "corrected.csv").write_text(text)
        options["labels_file"] = str(tmp_path / "corrected.csv")
    return CsvTable(path=str(labels), size=8, **options).load([], tmp_path)


def test_training_sees_the_correction_and_others_keep_their_labels(labels, tmp_path):
    before = load(labels, tmp_path)
    after = load(labels, tmp_path, "image,label\n00,b\n01.png,b\n03,a\n")
    changed = np.flatnonzero(before.train.labels != after.train.labels)
    assert changed.tolist() == [0, 3]
    assert "2 labels corrected outside test" in after.notes


def test_what_suspects_writes_is_read_as_it_is(labels, tmp_path):
    text = "path,given,suggested,score,rank_loss\n00.png,a,b,0.9,1\n01.png,b,b,0.1,2\n"
    after = load(labels, tmp_path, text)
    assert after.train.labels[0] == 1


def test_test_labels_stay_and_it_is_said(labels, tmp_path):
    before = load(labels, tmp_path)
    after = load(labels, tmp_path, "image,label\n38,b\n00,b\n")
    assert (before.test.labels == after.test.labels).all()
    assert (
        "1 labels corrected outside test; 1 corrections of test images are left out, for those "
        "labels judge" in after.notes
    )


def test_the_same_images_train_with_and_without_the_correction(labels, tmp_path):
    text = "image,label\n" + "".join(f"{index:02},b\n" for index in range(0, 20, 2))
    drawn = [
        split(parts, Scenario(track="T0"), Natural(), seed=3)
        for parts in (load(labels, tmp_path), load(labels, tmp_path, text))
    ]
    assert (drawn[0].train == drawn[1].train).all()
    assert (drawn[0].validation == drawn[1].validation).all()


def test_the_test_part_is_drawn_by_the_labels_as_they_were(tmp_path, table):
    lines = [f"{name},{'ab'[index % 2]}" for index, name in enumerate(IMAGES)]
    path = table("\n".join(["image,label", *lines, ""]), images=IMAGES)
    text = "image,label\n" + "".join(f"{index:02},b\n" for index in range(0, 20, 2))
    before, after = load(path, tmp_path), load(path, tmp_path, text)
    assert (before.test.pixels == after.test.pixels).all()
    assert before.classes == after.classes


def test_where_other_labels_count_as_true_those_that_methods_see_are_corrected(tmp_path, table):
    lines = [
        f"{name},{'ab'[index % 2]},{'ab'[index // 2 % 2]},{'train' if index < 30 else 'test'}"
        for index, name in enumerate(IMAGES)
    ]
    path = table("\n".join(["image,old,new,split", *lines, ""]), images=IMAGES)
    options = {"label": "old", "truth": "new"}
    before = load(path, tmp_path, **options)
    after = load(path, tmp_path, "image,label\n01,a\n", **options)
    assert (before.train.labels == after.train.labels).all()
    assert np.flatnonzero(before.train.given != after.train.given).tolist() == [1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("image,label\nnobody,a\n", "row 2: there is no image 'nobody'"),
        ("image,label\n00,c\n", "row 2: unknown class 'c'"),
        ("image,label\n00,a\n00.png,b\n", "row 3: the image '00.png' stands there with two labels"),
        ("image,given,label\n00,b,a\n", "the label that was corrected is 'b' there and 'a' in csv"),
        ("picture,label\n00,b\n", "--labels: expected a column image or path, found picture"),
        ("path,class\n00,b\n", "--labels: expected a column label or suggested, found path"),
        (
            "image,label\n" + "".join(f"{index:02},b\n" for index in range(30)),
            "the part train as corrected holds no image of 'a'",
        ),
    ],
    ids=["image", "class", "twice", "given", "no image", "no label", "empty class"],
)
def test_what_cannot_be_meant_is_refused(labels, tmp_path, text, problem):
    with pytest.raises(DataError, match=re.escape(problem)):
        load(labels, tmp_path, text)


def test_a_label_is_not_verified_and_corrected_at_once(labels, tmp_path):
    (tmp_path / "checked.csv").write_text("image\n00\n01\n")
    with pytest.raises(DataError, match=r"is verified as 'a' .--trusted. and corrected to 'b'"):
        load(
            labels,
            tmp_path,
            "image,label\n01,b\n00,b\n",
            trusted_file=str(tmp_path / "checked.csv"),
        )
