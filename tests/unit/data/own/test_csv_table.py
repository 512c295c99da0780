"""Tables that name images: dialects, columns, and where the images are found."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from benchbase.data.own.csv_table import CsvTable
from benchbase.errors import DataError
from tests.unit.data.own.conftest import patch

IMAGES = tuple(f"part {1 + index % 2}/ISIC_{index:04}.jpg" for index in range(12))
ROWS = [f"ISIC_{index:04},{'nv' if index % 3 else 'mel'},L{index // 2}" for index in range(12)]
TEXT = "image_id,dx,lesion_id\n" + "\n".join(ROWS) + "\n"


def listed(path, **options):
    return CsvTable(path=str(path), **options).complete()


def test_image_ids_without_folder_or_ending_are_found_below_the_table_s_folder(table):
    found = listed(table(TEXT, images=IMAGES))
    assert found.names == IMAGES
    assert found.labels[:4] == ("mel", "nv", "nv", "mel")
    assert found.groups is not None
    assert found.groups[:3] == ("L0", "L0", "L1")
    [note] = found.notes
    assert note == "columns guessed by their names: image=image_id, label=dx, group=lesion_id"


def test_whole_groups_test_and_the_rest_train(table):
    path = table(TEXT, images=IMAGES)
    parts = CsvTable(path=str(path), size=8).load([], path.parent)
    assert parts.groups is not None
    assert parts.test_groups is not None
    assert not set(parts.groups) & set(parts.test_groups)
    assert parts.split_file.startswith("image,split,label,group\npart 1/ISIC_0000.jpg,")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace("image_id,", '"image_id",').replace("L0", '"L0"'),
        lambda text: text + "\n\n",
    ],
    ids=["BOM", "CRLF", "semicolons", "tabs", "quotes", "blank lines"],
)
def test_all_dialects_of_csv_say_the_same(table, change):
    found = listed(table(change(TEXT), images=IMAGES))
    assert found.labels == listed(table(TEXT, images=IMAGES)).labels
    assert found.groups == listed(table(TEXT, images=IMAGES)).groups


def test_a_quoted_line_break_is_part_of_its_cell(table):
    text = 'image,label,remark\na.png,x,"two\nlines"\nb.png,y,\nc.png,x,\nd.png,y,\n'
    found = listed(table(text, images=("a.png", "b.png", "c.png", "d.png")))
    assert found.labels == ("x", "y", "x", "y")


def test_json_lines_and_parquet_say_the_same_as_csv(table, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    expected = listed(table(TEXT, images=IMAGES))
    names = ("image_id", "dx", "lesion_id")
    rows = [dict(zip(names, row.split(","), strict=True)) for row in ROWS]
    lines = table("\n".join(map(json.dumps, rows)), name="labels.jsonl")
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "labels.parquet")
    for path in (lines, tmp_path / "labels.parquet"):
        found = listed(path)
        assert (found.names, found.labels, found.groups) == (
            expected.names,
            expected.labels,
            expected.groups,
        )


def test_parquet_may_hold_the_images_themselves(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    rows = []
    for index in range(10):
        out = io.BytesIO()
        patch(index).save(out, "PNG")
        rows.append({"image": {"bytes": out.getvalue(), "path": None}, "label": index % 2})
    path = tmp_path / "train.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), path)
    parts = CsvTable(path=str(path), size=8).load([], tmp_path)
    assert parts.classes == ("0", "1")
    assert [len(parts.train), len(parts.test)] == [8, 2]


def test_columns_are_as_the_user_says(table):
    text = "file,label_v1,label_v2,smear,fold\n" + "".join(
        f"{name},{'ab'[i % 2]},{'xy'[i // 6]},S{i},{'train' if i < 9 else 'test'}\n"
        for i, name in enumerate(IMAGES)
    )
    path = table(text, images=IMAGES)
    found = listed(path, label="label_v1", group=None, split="fold")
    assert found.labels[:2] == ("a", "b")
    assert found.groups is None
    assert found.parts is not None
    assert found.parts.count("test") == 3
    assert found.notes == ("columns guessed by their names: image=file",)
    by_pattern = listed(path, label="label_v2", group=r"ISIC_00(\d)")
    assert by_pattern.groups is not None
    assert set(by_pattern.groups) == {"0", "1"}


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "image,label,dx\n",
            {},
            "columns label and dx may both hold the label: write [label=label]",
        ),
        (
            "image,label,patient_id,lesion_id\n",
            {},
            "may both hold the group: write [group=patient_id] or [group=lesion_id], or group=none",
        ),
        ("image,what\n", {}, "no column has a name such as label, labels, dx, diagnosis: write"),
        ("image,label\n", {"label": "lable"}, "label=lable: unknown column 'lable'; did you mean "),
        ("image,label\n", {"image": "label", "label": "label"}, "no image"),
    ],
)
def test_a_column_that_is_not_clear_is_an_error(table, text, options, message):
    row = ",".join(["x"] * len(text.split(",")))
    with pytest.raises(DataError) as caught:
        listed(table(text + row + "\n"), **options)
    assert message in str(caught.value)


def test_an_image_that_two_files_may_be_is_an_error_until_its_folder_is_said(table):
    images = ("one/a.png", "two/a.png", "b.png", "c.png", "d.png")
    text = "image,label\n{},x\nb,y\nc,x\nd,y\n"
    with pytest.raises(DataError, match=r"row 2: 'a' is the name of 2 images.*one/a.png and two/a"):
        listed(table(text.format("a"), images=images))
    assert listed(table(text.format("two/a"))).names[0] == "two/a.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\nnone.png,x\na.png,y\n", "labels.csv, row 2: there is no image 'none.png'"),
        ("image,label\na.png,\nb.png,y\n", "row 2: no label in the column 'label'"),
        ("image,label\n,x\nb.png,y\n", "row 2: no image in the column 'image'"),
        ("image,label\na.png,x\na.png,y\n", "the image a.png stands there with two labels"),
        ("image,label\na.png,x,y\n", "row 2: expected 2 cells, as in the header, found 3"),
        ("image,label\n", "holds no rows"),
        ("", "holds no rows"),
        ('image,label\na.png,"x\n', "is no CSV"),
        ("image,image\na,b\n", "several columns are called 'image'"),
        ("image,label\na.png,0.5\nb.png,1.5\n", "the labels are numbers such as 0.5"),
        ("image,label\na.png,x\nb.png,y\n", "2 different labels for 2 images"),
        ("image,label,split\na.png,x,3\nb.png,y,train\n", "row 2, split: '3': expected one of"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_row(table, text, message):
    with pytest.raises(DataError) as caught:
        listed(table(text, images=("a.png", "b.png")))
    assert message in str(caught.value)


def test_rows_that_repeat_another_are_left_out_and_counted(table):
    text = "image,label\na.png,x\nb.png,y\na.png,x\nc.png,x\nd.png,y\n"
    found = listed(table(text, images=("a.png", "b.png", "c.png", "d.png")))
    assert found.names == ("a.png", "b.png", "c.png", "d.png")
    assert found.picture(2).name == "c.png"
    assert found.notes[-1] == "1 rows repeat another, left out"


def test_ten_thousand_labels_are_no_classes(table):
    rows = "".join(f"a.png,{index}\n" for index in range(10_000))
    with pytest.raises(DataError, match="stands there with two labels"):
        listed(table(f"image,label\n{rows}", images=("a.png",)))


@pytest.mark.parametrize("name", ["labels.xlsx", "labels"])
def test_a_file_that_is_no_table_is_refused(table, name):
    with pytest.raises(DataError, match=r"expected a table, a file that ends in \.csv"):
        listed(table("image,label\n", name=name))


def test_a_parquet_file_that_is_none_is_refused(table):
    with pytest.raises(DataError, match="is no Parquet file"):
        listed(table("image,label\n", name="labels.parquet"))


def test_a_json_line_that_is_none_is_named(table):
    with pytest.raises(DataError, match="line 2: is no JSON"):
        listed(table('{"image": "a.png", "label": 1}\n{"image":\n', name="labels.jsonl"))


def test_text_that_is_not_utf_8_is_said(tmp_path):
    (tmp_path / "labels.csv").write_bytes("image,label\nä.png,x\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8"):
        listed(tmp_path / "labels.csv")


TWO = "image,old,new\n" + "".join(
    f"{name},{'ba'[i % 2 or i == 4]},{'ba'[i % 2]}\n" for i, name in enumerate(IMAGES)
)


def test_a_truth_column_judges_beside_labels_as_given(table):
    path = table(TWO, images=IMAGES)
    parts = CsvTable(path=str(path), label="old", truth="new", size=8).load([], path.parent)
    assert parts.classes == ("a", "b")
    assert parts.train.given is not None
    assert parts.test.given is not None
    labels = np.concatenate([parts.train.labels, parts.test.labels])
    given = np.concatenate([parts.train.given, parts.test.given])
    assert np.bincount(labels).tolist() == [6, 6]
    assert np.bincount(given).tolist() == [7, 5]
    assert any("two versions of the labels: 1 of 12 (8.3%) differ" in it for it in parts.notes)
    alone = CsvTable(path=str(path), label="old", size=8).load([], path.parent)
    assert alone.train.given is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO.replace(",a,b\n", ",,b\n"), "no label in the column 'old'"),
        (TWO.replace(",a,a\n", ",a,\n", 1), "row 3: no label in the column 'new'"),
        (
            TWO.replace(".jpg,a,a\n", ".jpg,c,a\n"),
            "is labelled 'c', which no true label is: expected",
        ),
        (TWO + "part 1/ISIC_0000.jpg,b,a\n", "stands there with two true labels"),
        (TWO.replace("new", "newer"), "truth=new: unknown column 'new'; did you mean newer"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(table, text, message):
    with pytest.raises(DataError) as caught:
        listed(table(text, images=IMAGES), label="old", truth="new")
    assert message in str(caught.value)


def test_which_of_two_labels_is_true_is_never_guessed(table):
    path = table(TWO.replace("new", "truth"), images=IMAGES)
    assert listed(path, label="old").truths is None
