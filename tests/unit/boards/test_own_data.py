"""``source:PATH[options]`` on the command line and in board files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchbase.boards.board import load_board
from benchbase.boards.order import Order
from benchbase.boards.own_data import is_own, own_at, parse_own
from benchbase.boards.plan import conditions
from benchbase.boards.request import read_request
from benchbase.cell import Invariances, Scenario
from benchbase.data.cache import data_key
from benchbase.data.own.description import describe
from benchbase.data.own.folder import Folder
from benchbase.errors import UsageError
from tests.running import installed
from tests.unit.data.own.conftest import patch


@pytest.mark.parametrize(
    ("text", "path", "options"),
    [
        ("folder:moles", "moles", {}),
        ("folder:/a b/c,d/ü [2]", "/a b/c,d/ü [2]", {}),
        ("folder:x[1]", "x[1]", {}),
        ("folder:x[1][size=64]", "x[1]", {"size": 64}),
        ("folder:x[size=32]", "x", {}),
        ('folder:"x[a=1]"[resize=pad, size=8]', "x[a=1]", {"resize": "pad", "size": 8}),
        ('folder:"x[a=1]"', "x[a=1]", {}),
        (r'folder:x[group="person(\\d+)[_,]"]', "x", {"group": r"person(\d+)[_,]"}),
        (r"folder:x[group=person(\d+)_]", "x", {"group": r"person(\d+)_"}),
        ("csv:a=b.csv[label=dx,split=none]", "a=b.csv", {"label": "dx", "split": None}),
        ("npz:rbc.npz[size=none]", "rbc.npz", {}),
        (" folder : moles ", "moles", {}),
        ("hf:./saved[label=dx]", "./saved", {"label": "dx"}),
    ],
)
def test_a_path_is_taken_as_it_stands_and_options_stand_in_brackets(text, path, options):
    assert is_own(text)
    assert parse_own(text)[1] == {"path": path, **options}


def test_a_name_on_the_hub_is_no_path():
    assert parse_own("hf:owner/name.1[size=64]") == (
        "hf",
        {"repository": "owner/name.1", "size": 64},
    )
    scenario = Scenario(dataset="hf", dataset_options={"repository": "owner/name", "size": 64})
    assert scenario.data == "hf:owner/name[size=64]"


@pytest.mark.parametrize("text", ["nuclei", "digits[x=1]", "benchbase-harness:nuclei", "folder"])
def test_other_names_are_no_data_of_one_s_own(text):
    assert not is_own(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("folder:", "where? write folder:PATH"),
        ("folder:[size=8]", "where? write folder:PATH"),
        ("folder:x[sizes=8]", "unknown option 'sizes'; did you mean size"),
        ("folder:x[size=8,16]", "is a grid: give one value for each option"),
        ("folder:x[size=2]", "expected int from 8 to 512, or none"),
        ("folder:x[resize=cut]", "expected one of crop, pad, stretch"),
        ("folder:x[path=y]", "path stands there twice"),
        ('folder:"x', "written as in JSON"),
        ('folder:"x"y', "expected option=value in brackets after the path"),
    ],
)
def test_what_means_nothing_is_refused(text, message):
    with pytest.raises(UsageError) as caught:
        parse_own(text)
    assert message in str(caught.value)


def test_a_path_without_its_kind_is_refused_with_the_words_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("moles", "nuclei"):
        (tmp_path / name).mkdir()
    for name in ("a.npz", "b.TSV", "notes.pdf"):
        (tmp_path / name).touch()
    for text, meant in (("moles", "folder:moles"), ("./a.npz", "npz:"), ("b.TSV", "csv:b.TSV")):
        for order in (Order(dataset=text), Order(dataset=text, size=64)):
            with pytest.raises(UsageError, match=f"is no name of a data set but .*write {meant}"):
                read_request(order, installed())
    assert own_at("notes.pdf") == own_at("none.csv") == ""
    [scenario, *_] = read_request(Order(dataset="nuclei"), installed()).board.scenarios
    assert scenario.data == "nuclei"  # a name is a name, whatever lies here


def test_labels_are_taken_as_given_unless_asked_otherwise():
    request = read_request(Order(dataset="folder:moles[size=64]"), installed())
    [scenario] = request.board.scenarios
    assert (scenario.noise, scenario.imbalance, scenario.track) == ("none", "natural", "T0")
    assert request.board.controls == ()
    assert scenario.data == "folder:moles[size=64]"
    assert "moles" in request.board.name
    asked = Order(dataset="folder:moles", noise="pair:0.2", imbalance="10", track="T5")
    [scenario] = read_request(asked, installed()).board.scenarios
    assert (scenario.noise, scenario.track) == ("pair", "T5")
    assert scenario.imbalance_options == {"ratio": 10}


def test_labels_as_given_are_real_noise_where_others_count_as_true(tmp_path: Path):
    def noises(text: str, **fields: str) -> set[str]:
        board = read_request(Order(dataset=text, **fields), installed()).board
        assert bool(board.controls) == any(it.noise != "none" for it in board.scenarios)
        return {scenario.noise for scenario in board.scenarios}

    assert noises("csv:labels.csv[label=old,truth=new]") == {"real"}
    assert noises("csv:labels.csv[label=old]") == {"none"}
    assert noises("csv:labels.csv[label=old,truth=new]", noise="none") == {"none"}
    np.savez(tmp_path / "x.npz", images=np.zeros(2), labels=np.zeros(2), truth=np.zeros(2))
    assert noises(f"npz:{tmp_path}/x.npz") == {"real"}
    assert noises("npz:x.npz") == {"none"}
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.format(dataset=json.dumps("npz:x.npz")))
    assert [it.noise for it in load_board(str(path)).scenarios] == ["real"]
    path.write_text(BOARD.format(dataset=json.dumps("npz:x.npz")) + 'noise = ["none", "real"]')
    assert [it.noise for it in load_board(str(path)).scenarios] == ["none", "real"]


def test_size_and_split_are_said_beside_the_data_as_well():
    order = Order(dataset="folder:moles", on_bad_image="skip")
    [scenario] = read_request(order, installed()).board.scenarios
    assert scenario.data == "folder:moles[on_bad_image=skip]"
    order = Order(dataset="folder:moles[resize=pad]", size=64, split="my split.csv")
    [scenario] = read_request(order, installed()).board.scenarios
    assert scenario.data == "folder:moles[resize=pad,size=64,split_file=my split.csv]"
    [scenario] = read_request(Order(dataset="folder:moles", size=32), installed()).board.scenarios
    assert scenario.data == "folder:moles"


def test_whoever_needs_clean_labels_gets_the_verified_ones():
    def scenario(**fields: str) -> Scenario:
        [one] = read_request(Order(**fields), installed()).board.scenarios
        return one

    named = scenario(dataset="folder:moles", trusted="my checks.csv")
    assert named.dataset_options == {"path": "moles", "trusted_file": "my checks.csv"}
    assert named.track == "TV"
    in_column = scenario(dataset="csv:x.csv", trusted="checked")
    assert in_column.dataset_options == {"path": "x.csv", "trusted_column": "checked"}
    assert (in_column.track, in_column.noise) == ("TV", "none")
    assert scenario(dataset="csv:x.csv[trusted_column=checked]").track == "TV"
    assert scenario(dataset="csv:x.csv", trusted="checked", track="T0").track == "T0"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 64}, "are for images of your own: name them, as --dataset"),
        ({"dataset": "nuclei", "size": 64}, "are for images of your own, which nuclei is not"),
        ({"dataset": "nuclei", "split": "x.csv"}, "which nuclei is not"),
        ({"dataset": "nuclei", "trusted": "checked"}, "which nuclei is not"),
        ({"trusted": "x.csv"}, "--labels and --on-bad-image are for images of your own"),
        ({"dataset": "folder:x", "trusted": "checked"}, "folder: unknown option 'trusted_column'"),
        ({"dataset": "folder:x[size=16]", "size": 64}, "size stands there, and beside it as well"),
    ],
)
def test_size_and_split_without_data_of_one_s_own_are_refused(fields, message):
    with pytest.raises(UsageError) as caught:
        read_request(Order(**fields), installed())
    assert message in str(caught.value)


def test_two_folders_are_two_data_sets_for_a_table():
    one, other = (
        Scenario(dataset="folder", dataset_options={"path": it, "size": 64}) for it in ("a", "b")
    )
    assert one.data == "folder:a[size=64]"
    assert one.data != other.data


BOARD = """
weighters = ["erm"]
seeds = 1
[[scenarios]]
dataset = {dataset}
"""


def test_a_board_names_data_relative_to_itself_and_takes_labels_as_given(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.format(dataset=json.dumps("csv:data/labels, all.csv[label=dx]")))
    board = load_board(str(path))
    [scenario] = board.scenarios
    assert scenario.track == "T0"
    assert scenario.dataset_options == {"path": "data/labels, all.csv", "label": "dx"}
    [place] = conditions(board, installed(), (), tmp_path / "cache", data_beside=tmp_path)
    assert place.parts["dataset"].path == str(tmp_path / "data/labels, all.csv")
    request = read_request(Order(suite=str(path)), installed())
    assert request.data_beside == tmp_path
    assert (
        read_request(Order(suite=str(path), dataset="npz:x.npz"), installed()).data_beside == Path()
    )


def test_what_was_read_is_told_and_kept_with_the_results(tmp_path: Path):
    folder = tmp_path / "set"
    for number in range(40):
        path = folder / "xy"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        patch(number).save(path)
    board = read_request(Order(dataset=f"folder:{folder}[size=8]"), installed()).board
    place = conditions(board, installed(), (), tmp_path / "cache")[0]
    opened = place.open()
    assert opened.corruption["notes"][:2] == [
        "resized to 8 x 8 from the largest square in the middle",
        "test images drawn: 20% of each class",
    ]
    assert opened.corruption["realised_rate"] == 0
    text = describe("folder:set", place.parts["dataset"], (), tmp_path / "cache")
    assert "40 images; the network sees 3 x 8 x 8" in text
    assert "2 classes: x 20, y 20; chance level 50.0%" in text
    [split] = tmp_path.glob("cache/data/*/split.csv")
    assert str(split) in text
    # Moved, it is found again; with a class renamed, it is another data set.
    known = data_key(place.parts["dataset"], (), tmp_path)
    folder.rename(tmp_path / "moved")
    moved = Folder(path=str(tmp_path / "moved"), size=8)
    assert data_key(moved, (), tmp_path) == known
    (tmp_path / "moved" / "x").rename(tmp_path / "moved" / "z")
    moved = Folder(path=str(tmp_path / "moved"), size=8)
    assert data_key(moved, (), tmp_path) != known


def test_what_keeps_the_class_is_stated_and_nothing_is_decoded_again_for_it(tmp_path: Path):
    for number in range(8):
        path = tmp_path / "set" / "xy"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        patch(number).save(path)

    def opened(options: str):
        order = Order(dataset=f"folder:{tmp_path / 'set'}{options}")
        board = read_request(order, installed()).board
        return conditions(board, installed(), (), tmp_path / "cache")[0].identify()

    plain = opened("")
    assert plain.invariances == Invariances()
    stated = opened("[flips=none,windows=centre,turns=0,colours=false]")
    assert stated.invariances == Invariances("none", "centre", turns=0, colours=False)
    assert stated.fingerprint == plain.fingerprint
    assert len([*tmp_path.glob("cache/data/*")]) == 1
    with pytest.raises(UsageError, match="flips: expected one of horizontal, both, or none"):
        opened("[flips=vertical]")


def test_a_mistake_in_a_board_names_file_and_key(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.format(dataset=json.dumps("csv:labels.csv[lable=dx]")))
    with pytest.raises(UsageError, match=r"mine\.toml: scenarios\[0\]\.dataset: .*did you mean"):
        load_board(str(path))


def test_a_board_grants_the_rows_that_it_names_as_verified(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.format(dataset=json.dumps("csv:x.csv[trusted_file=checked.csv]")))
    board = load_board(str(path))
    assert [it.track for it in board.scenarios] == ["TV"]
    [place] = conditions(board, installed(), (), tmp_path / "cache", data_beside=tmp_path)
    assert place.parts["dataset"].trusted_file == str(tmp_path / "checked.csv")
