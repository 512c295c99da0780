"""What people's folders and files are like: each is read as it was meant, or refused with a cure.

A refusal names the file or row, and leaves nothing half-written behind.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from benchbase.data.cache import prepare
from benchbase.data.contract import DataSet
from benchbase.data.own.csv_table import CsvTable
from benchbase.data.own.folder import Folder
from benchbase.data.own.npz_file import NpzFile
from benchbase.errors import DataError, RunError
from tests.unit.data.own.conftest import patch

Made = Callable[[Path], DataSet]
ROWS = "".join(f"{row},{'xy'[row % 2]}\n" for row in range(8))


def images(root: Path, **counts: int) -> Path:
    root.mkdir()
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir()
        for index in range(count):
            patch(7 * number + index).save(root / name / f"{index}.png")
    return root


def folder(**counts: int) -> Made:
    return lambda root: Folder(path=str(images(root, **counts)), size=8)


def with_file(content: bytes, name: str = "a/bad.png") -> Made:
    def make(root: Path) -> DataSet:
        (images(root, a=4, b=4) / name).write_bytes(content)
        return Folder(path=str(root), size=8)

    return make


def with_link(name: str, target: str) -> Made:
    def make(root: Path) -> DataSet:
        (images(root, a=4, b=4) / name).symlink_to(target)
        return Folder(path=str(root), size=8)

    return make


def with_pipe(root: Path) -> DataSet:
    os.mkfifo(images(root, a=4, b=4) / "a" / "pipe.png")
    return Folder(path=str(root), size=8)


def in_latin_1(root: Path) -> DataSet:
    images(root, a=4, b=4)
    os.rename(root / "a", os.fsencode(root) + "/m\xfcller".encode("latin-1"))  # noqa: PTH104
    return Folder(path=str(root), size=8)


def table(content: str | bytes, **options: Any) -> Made:
    def make(root: Path) -> DataSet:
        text = content if isinstance(content, bytes) else content.encode()
        (images(root, i=8) / "t.csv").write_bytes(text)
        return CsvTable(path=str(root / "t.csv"), size=8, **options)

    return make


def arrays(name: str = "a.npz", **held: Any) -> Made:
    def make(root: Path) -> DataSet:
        root.mkdir()
        np.savez(root / "a.npz", **held)
        (root / "a.npz").rename(root / name)
        return NpzFile(path=str(root / name))

    return make


def parquet_of(**columns: list[Any]) -> Made:
    def make(root: Path) -> DataSet:
        root.mkdir()
        parquet.write_table(pa.table(columns), root / "t.parquet")
        return CsvTable(path=str(root / "t.parquet"), size=8)

    return make


def encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "no image")
    return out.getvalue()


def many_classes(root: Path) -> DataSet:
    root.mkdir()
    images_, labels = np.zeros((100_000, 1, 1), dtype=np.uint8), np.arange(100_000)
    np.savez(root / "a.npz", images=images_, labels=labels)
    return NpzFile(path=str(root / "a.npz"))


GREY = np.arange(8 * 16, dtype=np.uint8).reshape(8, 4, 4)
LABELS = np.arange(8) % 2
NO_IMAGE = r"a/bad\.png: not an image that can be read \(.*\): replace it, or leave out all such"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(folder(), r"no image below it; expected .*/CLASS/IMAGE\.png", id="empty"),
        pytest.param(folder(a=4), "all 4 images are of the class 'a'", id="one class"),
        pytest.param(
            folder(a=4, b=1), r"class 'b' has 1 image, b/0\.png; .*leave it out", id="one image"
        ),
        pytest.param(with_file(b"", "bad.png"), r"bad\.png lies in no folder of a", id="no label"),
        pytest.param(with_file(b""), NO_IMAGE, id="0 bytes"),
        pytest.param(with_file(zipped()), NO_IMAGE, id="zip called png"),
        pytest.param(
            with_file(encoded(patch(1, shape=(200, 200)), "JPEG")[:800]), NO_IMAGE, id="truncated"
        ),
        pytest.param(
            with_file(encoded(Image.new("1", (20_000, 20_000)), "PNG")),
            r"a/bad\.png: .*more than 178,956,970 pixels: save it smaller",
            id="20,000 x 20,000",
        ),
        pytest.param(with_link("a/round", ".."), r"a/round: a symbolic link.*circle", id="loop"),
        pytest.param(
            with_link("a/self.png", "self.png"),
            r"self\.png: cannot be read: Too many levels.*mend or remove it",
            id="link to itself",
        ),
        pytest.param(
            with_link("a/gone.png", "nowhere"),
            r"gone\.png cannot be read: No such file.*mend or remove it",
            id="dangling link",
        ),
        pytest.param(with_pipe, r"a/pipe\.png: is a pipe.*remove it", id="pipe"),
        pytest.param(
            in_latin_1,
            r"m\\xfcller/0\.png: a name that is not UTF-8.*rename it",
            id="name in Latin-1",
            marks=pytest.mark.skipif(sys.platform == "darwin", reason="it has no such names"),
        ),
        pytest.param(table(""), r"t\.csv: holds no rows", id="empty table"),
        pytest.param(
            table(f"image,label\n{ROWS}99,x\n"), r"row 10: there is no image '99'", id="no image"
        ),
        pytest.param(
            table(f"image,label\n{ROWS}".replace("3,y", "3,")),
            "row 5: no label",
            id="no cell",
        ),
        pytest.param(
            table(f"image,label\n{ROWS}3,x\n"), r"i/3\.png stands there with two labels", id="twice"
        ),
        pytest.param(
            table(f"image,diagnoses\n{ROWS}", label="diagnosis"),
            "unknown column 'diagnosis'; did you mean diagnoses",
            id="no such column",
        ),
        pytest.param(
            table("image,label\n" + "".join(f"{row},{row / 4}\n" for row in range(8))),
            r"labels are numbers such as 0\.25, where classes are expected",
            id="floats",
        ),
        pytest.param(
            table(f"image,label\n{ROWS}".encode("utf-16")), "is not UTF-8.*save it", id="UTF-16"
        ),
        pytest.param(many_classes, "100,000 different labels for 100,000", id="100,000 classes"),
        pytest.param(
            arrays(images=GREY, labels=np.array([{}] * 8)), "could run code", id="npz of pickles"
        ),
        pytest.param(
            arrays(images=GREY[:, None, None], labels=LABELS), "expected .count, height", id="shape"
        ),
        pytest.param(arrays("a.h5", images=GREY[0], labels=LABELS), r"a\.h5, images", id="h5"),
        pytest.param(
            parquet_of(image=[b"", b""], label=[["x"], ["x", "y"]]),
            r"t\.parquet, row 1: expected one text or number in the column 'label', got \['x'\]",
            id="several labels",
        ),
        pytest.param(
            parquet_of(label=["x", "y"], age=[1, 2]),
            r"no column has a name such as image.*one of label, age",
            id="Parquet without images",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_with_a_cure(
    tmp_path: Path, make: Made, message: str
) -> None:
    cache = tmp_path / "cache"
    dataset = make(tmp_path / "set")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=message):
        prepare(dataset, [], cache)
    assert not (cache / "data").exists()
    assert [*cache.glob("preparing/*")] == []
    assert [path for path in sorted(tmp_path.rglob("*")) if cache not in [path, *path.parents]] == (
        before
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(table(f"\ufeffimage,label\n{ROWS}"), id="BOM"),
        pytest.param(table(f"image,label\n{ROWS}".replace("\n", "\r\n")), id="CRLF"),
        pytest.param(table(f"image;label\n{ROWS.replace(',', ';')}"), id="semicolons"),
        pytest.param(
            table("note,image,label\n" + "".join(f'"a\nb",{it}\n' for it in ROWS.splitlines())),
            id="quoted line breaks",
        ),
        pytest.param(with_file(encoded(Image.new("RGB", (1, 1)), "PNG")), id="1 x 1"),
        pytest.param(with_file(b"no image", "a/notes.txt"), id="other files"),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_read(tmp_path: Path, make: Made) -> None:
    parts = prepare(make(tmp_path / "set"), [], tmp_path / "cache").parts
    assert len(parts.train) + len(parts.test) in (8, 9)
    assert len(parts.classes) == 2


def test_classes_that_differ_in_capitals_alone_are_read_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{row},{('MEL', 'nv', 'mel', 'nv')[row % 4]}\n" for row in range(8))
    parts = prepare(table(f"image,label\n{rows}")(tmp_path / "set"), [], tmp_path / "cache").parts
    assert parts.classes == ("nv", "MEL", "mel")
    assert "the classes MEL, mel differ in capitals alone: are they one?" in parts.notes


def test_labels_that_are_bytes_name_classes_as_texts_do(tmp_path: Path) -> None:
    held = {"images": GREY, "labels": np.array([b"nv", "m\xfc".encode()] * 4)}
    assert arrays(**held)(tmp_path / "set").load([], tmp_path).classes == ("m\xfc", "nv")


@pytest.mark.parametrize("where", ["save", "savez"])
def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, where, full)
    with pytest.raises(RunError, match=r"No space left on device.*free space"):
        prepare(folder(a=4, b=4)(tmp_path / "set"), [], tmp_path / "cache")
    assert not (tmp_path / "cache" / "data").exists()
    assert [*(tmp_path / "cache").glob("preparing/*")] == []
