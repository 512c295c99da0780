"""Blood cells: from the prepared copies, and cut from images like the public originals."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from benchbase_medical import blood
from benchbase_medical.blood import RED_CELLS, ChulaRbc12, Cutter, TxlPbc, coordinates
from PIL import Image

from benchbase import DataError
from benchbase.data.cache import prepare

# Each part has one smear image with two cells of each of three classes.
CELLS = [
    {"part": part, "smear": smear, "group": smear, "x": str(x), "y": str(y), "class": label}
    for part, smear in (("train", "7"), ("val", "8"), ("test", "9"))
    for y in (60, 477)
    for x, label in ((4, "0"), (60, "1"), (639, "12"))
]
WINDOWS = [
    {
        "path": f"images/{smear}_{row:05}.png",
        "label_v1": "background",
        "label_v2": label,
        "smear": smear,
        "x": str(100 * row + 50),
        "y": "240",
    }
    for smear in ("BloodImage_00001", "BloodImage_00002", "BloodImage_00003")
    for row, label in enumerate(["background", "RBC", "WBC", "Platelets"])
]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the coordinate lists."""
    lists = {"chula_rbc12.csv.xz": CELLS, "txl_pbc.csv.xz": WINDOWS}
    monkeypatch.setattr(blood, "coordinates", lists.__getitem__)


@pytest.fixture
def chula(tmp_path: Path, write_images) -> Path:
    folder = tmp_path / "Chula-RBC-12-Dataset"
    write_images(folder / "Dataset", ["7.jpg", "8.jpg", "9.jpg"], (480, 640, 3))
    return folder


def prepared_copy(folder: Path, originals: Path) -> Path:
    images = [originals / "Dataset" / f"{row['smear']}.jpg" for row in CELLS]
    cut = Cutter(images, CELLS, 40)
    arrays = {}
    for part in ("train", "val", "test"):
        own = [place for place, row in enumerate(CELLS) if row["part"] == part]
        arrays[f"{part}_images"] = np.stack([cut(place) for place in own])
        arrays[f"{part}_labels"] = np.array([[int(CELLS[place]["class"])] for place in own])
    folder.mkdir()
    np.savez(folder / "rbc12_32.npz", **arrays)
    return folder


@pytest.mark.usefixtures("short")
def test_the_prepared_copy_and_the_originals_hold_the_same(tmp_path: Path, chula: Path, load):
    cut = load(ChulaRbc12(), chula.parent)
    prepared = load(ChulaRbc12(), prepared_copy(tmp_path / "rbc12", chula))
    assert cut.classes == prepared.classes == ("elliptocyte", "macrocyte", "normal cell")
    for name in ("train", "validation", "test"):
        one, two = getattr(cut, name), getattr(prepared, name)
        np.testing.assert_array_equal(one.pixels, two.pixels)
        np.testing.assert_array_equal(one.labels, two.labels)
        assert one.pixels.shape == (6, 3, 32, 32)
    assert not np.intersect1d(cut.groups, cut.test_groups).size


def test_a_cell_is_cut_around_its_point_and_reflected_at_the_border(tmp_path: Path) -> None:
    columns = np.broadcast_to(np.minimum(np.arange(640), 255)[None, :, None], (480, 640, 3))
    path = tmp_path / "columns.png"
    Image.fromarray(columns.astype(np.uint8)).save(path)
    rows = [{"x": "104", "y": "100"}, {"x": "4", "y": "100"}]
    inside, border = (Cutter([path] * 2, rows, 40)(place)[16, :, 0] for place in (0, 1))
    assert (inside[0], inside[2], inside[30]) == (65, 70, 140)  # means of three columns each
    np.testing.assert_array_equal(border[15:29], border[13::-1])
    wide = Cutter([path], [{"x": "150", "y": "100"}], 48)(0)[16, :, 0]
    np.testing.assert_array_equal(wide, np.arange(103, 199, 3))


@pytest.mark.usefixtures("short")
def test_a_smear_of_another_size_is_refused(chula: Path, write_images, load) -> None:
    write_images(chula / "Dataset", ["8.jpg"], (100, 100, 3))
    with pytest.raises(DataError, match=r"8\.jpg: expected an image of 640 x 480"):
        load(ChulaRbc12(), chula)


@pytest.mark.usefixtures("short")
def test_a_missing_smear_is_named(chula: Path) -> None:
    (chula / "Dataset" / "8.jpg").unlink()
    with pytest.raises(DataError, match=r"images are missing below .*Dataset, such as 8"):
        ChulaRbc12().files([chula])


def test_a_prepared_copy_of_other_cells_is_refused(tmp_path: Path, chula: Path, load) -> None:
    with pytest.raises(DataError, match="holds other cells than the coordinate list"):
        load(ChulaRbc12(), prepared_copy(tmp_path / "rbc12", chula))


@pytest.mark.usefixtures("short")
def test_windows_come_from_the_prepared_copy_or_the_originals(
    tmp_path: Path, write_images, load
) -> None:
    images = tmp_path / "BCCD_Dataset" / "BCCD" / "JPEGImages"
    smears = sorted({row["smear"] for row in WINDOWS})
    write_images(images, [f"{smear}.jpg" for smear in smears], (480, 640, 3))
    cut = load(TxlPbc(), tmp_path)
    copy = tmp_path / "smear_relabel"
    window = Cutter([images / f"{row['smear']}.jpg" for row in WINDOWS], WINDOWS, 48)
    (copy / "images").mkdir(parents=True)
    (copy / "labels.csv").write_text("path,label_v1,label_v2,smear,x,y\n")
    for place, row in enumerate(WINDOWS):
        Image.fromarray(window(place)).save(copy / row["path"])
    prepared = load(TxlPbc(), copy)
    assert cut.classes == ("background", "Platelets", "RBC", "WBC")
    for name in ("train", "test"):
        np.testing.assert_array_equal(getattr(cut, name).pixels, getattr(prepared, name).pixels)
    assert (cut.train.given == cut.classes.index("background")).all()
    assert set(cut.train.labels) == {0, 1, 2, 3}


@pytest.mark.parametrize(("dataset", "name"), [(ChulaRbc12, "rbc12"), (TxlPbc, "smear_relabel")])
def test_the_real_copies_hold_what_the_card_says(dataset, name: str, real_data: Path) -> None:
    listed = dataset().listing(real_data / name)
    if listed is None:
        pytest.skip(f"no {name} among the real data")
    counts = {label: listed.judging.count(label) for label, _ in dataset.card.classes}
    assert counts == dict(dataset.card.classes)
    assert all(path.is_file() for path in listed.files)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", [ChulaRbc12, TxlPbc])
def test_the_real_copies_have_the_fingerprint_of_the_card(dataset, real_data, tmp_path) -> None:
    assert prepare(dataset(), [real_data], tmp_path).fingerprint == dataset.card.fingerprint


def test_the_coordinate_lists_are_those_of_the_cards() -> None:
    cells = [RED_CELLS[int(row["class"])] for row in coordinates("chula_rbc12.csv.xz")]
    assert {name: cells.count(name) for name in RED_CELLS} == dict(ChulaRbc12.card.classes)
    assert [each.name for each in dataclasses.fields(ChulaRbc12)] == []
