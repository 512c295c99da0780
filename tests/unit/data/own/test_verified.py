"""Labels that somebody verified: how they are named, who gets them, and what they judge."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.data.cache import data_key
from benchbase.data.own.csv_table import CsvTable
from benchbase.errors import DataError, UsageError

IMAGES = tuple(f"{index:02}.png" for index in range(40))


def rows_of(verified) -> str:
    """Write a table: labels take turns, the last ten images test."""
    lines = [
        f"{name},{'ab'[index % 2]},{'train' if index < 30 else 'test'},{verified(index)}"
        for index, name in enumerate(IMAGES)
    ]
    return "\n".join(["image,label,split,checked", *lines, ""])


def load(path, **options):
    return CsvTable(path=str(path), size=8, **options).load([], path.parent)


def test_a_column_says_which_labels_were_verified_and_those_of_test_judge(table):
    path = table(rows_of(lambda index: ["yes", "", "No", "TRUE"][index % 4]), images=IMAGES)
    parts = load(path, trusted_column="checked")
    assert parts.verified is not None
    assert parts.verified.tolist() == [index % 4 in (0, 3) for index in range(30)]
    assert parts.test_verified
    assert len(parts.test) == 5
    assert "judged by the 5 of 10 test images that are verified" in parts.notes
    # The others of test are nowhere, and test images to whoever copies the split.
    assert len(parts.train) == 30
    assert parts.split_file.count(",test,") == 10


def test_a_table_names_the_same_images(table):
    path = table(rows_of(lambda index: index % 4 in (0, 3)), images=IMAGES)
    named = [name for index, name in enumerate(IMAGES) if index % 4 in (0, 3)]
    trusted = table("image\n" + "\n".join(named) + "\n", name="trusted.csv")
    by_file, by_column = load(path, trusted_file=str(trusted)), load(path, trusted_column="checked")
    assert by_file.verified is not None
    assert by_column.verified is not None
    assert (by_file.verified == by_column.verified).all()
    assert len(by_file.test) == len(by_column.test)
    assert trusted in CsvTable(path=str(path), trusted_file=str(trusted)).files([])


def test_verified_images_of_some_classes_only_do_not_judge(table):
    path = table(rows_of(lambda index: int(index % 2 == 0)), images=IMAGES)
    parts = load(path, trusted_column="checked")
    assert not parts.test_verified
    assert len(parts.test) == 10
    told = "5 verified images lie in test, none of b: all 10 judge, with labels as given"
    assert told in parts.notes


@pytest.mark.parametrize(
    ("trusted", "message"),
    [
        ("image\nnone.png\n", "trusted.csv, row 2: there is no image 'none.png'"),
        ("image,label\n00.png,b\n", "row 2: verified as 'b', where csv:"),
        ("name\n00.png\n", "--trusted: unknown column 'image'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_row(table, trusted, message):
    path = table(rows_of(lambda _: ""), images=IMAGES)
    with pytest.raises(DataError) as caught:
        load(path, trusted_file=str(table(trusted, name="trusted.csv")))
    assert message in str(caught.value)


def test_a_cell_that_says_neither_yes_nor_no_is_refused_by_row(table):
    path = table(rows_of(lambda index: "maybe" if index == 3 else "1"), images=IMAGES)
    with pytest.raises(DataError, match="row 5, checked: 'maybe': expected one of 1, true, yes"):
        load(path, trusted_column="checked")
    with pytest.raises(DataError, match="--trusted: unknown column 'cheked'; did you mean"):
        load(path, trusted_column="cheked")


def test_verified_labels_beside_true_ones_are_refused(table):
    path = table(rows_of(lambda _: "1"), images=IMAGES)
    with pytest.raises(UsageError, match="truth= says already which labels are right"):
        load(path, label="label", truth="label", trusted_column="checked")


def test_all_that_is_verified_is_marked_by_rows(table):
    parts = load(table(rows_of(lambda _: "x"), images=IMAGES), trusted_column="checked")
    assert parts.verified is not None
    assert parts.verified.dtype == np.bool_
    assert parts.verified.all()


def test_what_a_table_is_for_is_part_of_the_data(table, monkeypatch):
    path = table(rows_of(lambda _: ""), images=IMAGES)
    monkeypatch.chdir(path.parent)
    # Relative, beside images whose paths are absolute.
    names = ("split_file", "trusted_file")
    keys = {
        data_key(CsvTable(path=str(path), **options), [], path.parent / "cache")
        for options in ({}, *({name: "labels.csv"} for name in names))
    }
    assert len(keys) == 3


def test_who_ranks_labels_asks_which_are_verified_and_takes_the_images_of_every_part(table):
    path = table(rows_of(lambda index: "yes" if index % 4 in (0, 3) else ""), images=IMAGES)
    own = CsvTable(path=str(path), size=8, trusted_column="checked")
    assert own.verified_names() == {IMAGES[it] for it in range(40) if it % 4 in (0, 3)}
    parts = own.without_verified().load([], path.parent)
    assert len(parts.test) == 10
    assert parts.verified is None
