import dataclasses

import numpy as np
import pytest

from benchbase.data.cache import Prepared
from benchbase.data.contract import DataParts, Part
from benchbase.errors import DataError
from benchbase.suspects.labelled import all_images, draw_folds


def part(*labels):
    pixels = np.stack([np.full((1, 2, 2), 10 * it, np.uint8) for it in range(len(labels))])
    return Part(pixels, np.array(labels))


def prepared(tmp_path, **parts):
    return Prepared(DataParts(classes=("a", "b"), **parts), "", {}, tmp_path)


def test_images_are_called_as_their_source_calls_them_and_keep_their_groups(tmp_path):
    table = "image,split,label,group\nx,test,a,g\ny,train,a,h\nz,train,b,g\nw,validation,b,h\n"
    images = all_images(
        prepared(
            tmp_path,
            train=part(0, 1),
            test=part(0),
            validation=part(1),
            groups=np.array([0, 1]),
            split_file=table,
        )
    )
    assert images.names == ("y", "z", "w", "x")
    assert images.labels.tolist() == [0, 1, 1, 0]
    assert images.groups.tolist() == [1, 0, 1, 0]


def test_images_without_a_name_are_called_by_part_and_row(tmp_path):
    images = all_images(prepared(tmp_path, train=part(0, 1), test=part(0)))
    assert images.names == ("train/0", "train/1", "test/0")
    assert images.groups is None


def test_a_group_is_in_one_fold_and_every_class_in_each():
    groups = np.repeat(np.arange(24), 2)
    labels = np.arange(48) % 2
    folds = draw_folds(labels, groups, ("a", "b"), seed=3)
    assert {len(set(folds[groups == group])) for group in range(24)} == {1}
    assert {tuple(np.unique(labels[folds == fold])) for fold in range(4)} == {(0, 1)}


def test_a_class_of_one_group_is_refused_by_name():
    with pytest.raises(DataError, match="class 'b' are all of one group"):
        draw_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), ("a", "b"), seed=0)


def test_labels_as_given_are_looked_at_where_others_count_as_true(tmp_path):
    both = dataclasses.replace(part(0, 1), given=np.array([1, 1]))
    images = all_images(prepared(tmp_path, train=both, test=part(0)))
    assert images.labels.tolist() == [1, 1, 0]
    assert images.parts == ("train", "train", "test")
