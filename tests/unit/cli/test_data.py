"""``benchbase data``: list, prepare, split, card, get and verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.data.prepared import prepared_sets
from tests.unit.data.own.conftest import patch

pytestmark = pytest.mark.usefixtures("shared_server")


@pytest.fixture
def moles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_home: Callable[[Path], Path]
) -> Path:
    """Make a folder of twelve images in two classes, and a home."""
    monkeypatch.setenv("BENCHBASE_HOME", str(make_home(tmp_path / "home")))
    for number in range(12):
        path = tmp_path / "moles" / "xy"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        patch(number).save(path)
    return tmp_path / "moles"


def test_what_is_prepared_is_described_and_listed_afterwards(moles, capsys):
    assert invoke(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert "nuclei " in said
    assert "Nothing is prepared yet." in said
    assert invoke(["data", "prepare", f"folder:{moles}", "--size", "8"]) == 0
    assert "12 images; the network sees 3 x 8 x 8" in capsys.readouterr().out
    assert invoke(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert f"folder[path={moles},size=8]: 12 images, 3 x 8 x 8, 0.0 MB" in said


def test_what_is_damaged_or_old_is_no_trouble(moles, capsys, tmp_path):
    for size in (8, 9):
        assert invoke(["data", "prepare", f"folder:{moles}", "--size", str(size)]) == 0
    first, second = prepared_sets(tmp_path / "home" / "cache")
    (first.folder / "train_pixels.npy").write_bytes(b"")
    manifest = second.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"data_set"', '"unknown"'))
    [left] = prepared_sets(tmp_path / "home" / "cache")
    assert (left.folder, left.name, left.images) == (second.folder, "", 12)
    capsys.readouterr()
    assert invoke(["data", "list"]) == 0
    assert "(by an older version): 12 images" in capsys.readouterr().out


def test_images_that_are_left_out_are_named(moles, capsys):
    (moles / "x" / "0.png").write_bytes(b"")
    assert invoke(["data", "prepare", f"folder:{moles}"]) == 2
    assert "x/0.png: not an image" in capsys.readouterr().err
    assert invoke(["data", "prepare", f"folder:{moles}", "--on-bad-image", "skip"]) == 0
    assert "left out: x/0.png: not an image" in capsys.readouterr().out


def test_the_split_that_is_written_is_read_again_and_no_file_is_overwritten(
    moles, capsys, tmp_path
):
    file = tmp_path / "mine.csv"
    assert invoke(["data", "split", f"folder:{moles}", str(file)]) == 0
    assert invoke(["data", "split", f"folder:{moles}"]) == 0
    assert capsys.readouterr().out == f"Written: {file}\n{file.read_text()}"
    assert len(file.read_text().splitlines()) == 13
    assert invoke(["data", "split", f"folder:{moles}", "--split", str(file)]) == 0
    assert capsys.readouterr().out == file.read_text()
    assert invoke(["data", "split", f"folder:{moles}", str(file)]) == 2
    assert "mine.csv: it is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["split", "nuclei"], "nuclei: its images have no names"),
        (["card", "digits"], "digits: has no card"),
        (["get", "digits", "--to", "."], "digits: has no card"),
        (["verify", "digits"], "digits: has no card"),
        (["prepare", "nuclai"], "unknown data set 'nuclai'; did you mean nuclei?"),
        (["prepare", "folder:absent"], "folder:absent: there is no such file or folder"),
    ],
)
def test_what_cannot_be_done_is_said(moles, capsys, arguments, message):
    assert invoke(["data", *arguments]) == 2
    assert message in capsys.readouterr().err


CARDED = """
from dataclasses import dataclass
from benchbase import Card, DataParts, DataSet, SourceFile, hookimpl
from benchbase.data.digits import Digits

BENCHBASE_API = 2

@dataclass(frozen=True)
class Numbers(Digits):
    "Digits with a card."
    name = "numbers"
    card = Card("made here", "CC0", "nobody", "it is made", classes=(("0", 177),))

@hookimpl
def register_datasets():
    return [Numbers]
"""


def test_a_card_is_shown_and_what_is_not_as_it_says_is_told(
    plugin_site, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    plugin_site.add("numbers", "numbers_set", numbers_set=CARDED)
    monkeypatch.setenv("BENCHBASE_PLUGINS", "numbers")
    assert invoke(["data", "card", "numbers"]) == 0
    assert "licence: CC0" in capsys.readouterr().out
    assert invoke(["data", "get", "numbers", "--to", str(tmp_path)]) == 2
    assert "no program may fetch it for you: it is made" in capsys.readouterr().err
    assert invoke(["data", "verify", "numbers"]) == 3
    said = capsys.readouterr().out
    assert "class 0: expected 177 images, found 178" in said
