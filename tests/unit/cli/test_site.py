"""``benchbase site``, ``plot`` and ``show --open``: which files they write."""

from __future__ import annotations

import re
import webbrowser

import msgspec
import pytest

from benchbase.cli import invoke
from benchbase.leaderboard.site import page
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.last import remember_run
from benchbase.records.store import Store
from tests.unit.made_records import CLEAN, make_board, make_records

BOARD = 'weighters = ["plain"]\nseeds = 3\n[[scenarios]]\nimbalance = [1]\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_bundle", lambda: {"bundle": ""})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    for name, frozen in (("demo", ""), ("new", ""), ("old", 'frozen = "protocol 1"\n')):
        folder = tmp_path / "leaderboards" / name
        folder.mkdir(parents=True)
        (folder / "board.toml").write_text(frozen + BOARD)
    records = make_records(make_board(("plain",), [CLEAN], seeds=3), {"plain": 0.7})
    Committed(tmp_path / "leaderboards" / "demo").merge(records)
    return tmp_path


def test_all_boards_but_frozen_ones_have_a_page_and_stand_in_the_index(folder):
    assert invoke(["site"]) == 0
    assert {path.name for path in (folder / "site").iterdir()} == {"demo.html", "index.html"}
    before = (folder / "site" / "demo.html").read_bytes()
    assert invoke(["site", "--board", "demo", "--out", "one"]) == 0
    assert [path.name for path in (folder / "one").iterdir()] == ["demo.html"]
    assert (folder / "one" / "demo.html").read_bytes() == before


def test_images_are_shown_on_request_where_their_card_allows_it(folder, capsys):
    assert invoke(["site", "--board", "demo"]) == 0
    without = (folder / "site" / "demo.html").read_text()
    assert "<img" not in without
    assert invoke(["site", "--board", "demo", "--images"]) == 0
    page = (folder / "site" / "demo.html").read_text()
    assert [*re.findall('alt="(nuclei: [a-z ]*)"', page)] == [
        f"nuclei: an image of class {name}" for name in ("background", "boundary", "interior")
    ]
    toml = folder / "leaderboards" / "demo" / "board.toml"
    toml.write_text(BOARD.replace("imbalance", 'dataset = "digits"\nimbalance'))
    capsys.readouterr()
    assert invoke(["site", "--board", "demo", "--images"]) == 0
    assert "<img" not in (folder / "site" / "demo.html").read_text()
    said = capsys.readouterr().err
    assert said == "demo: no images of digits: no card says that its images may be shown\n"


@pytest.mark.parametrize("name", ["old", "new", "quick", "nowhere"])
def test_a_board_without_committed_records_is_refused(folder, name):
    assert invoke(["site", "--board", name]) == 2


def test_the_last_run_is_opened_as_a_page_and_plotted(folder, monkeypatch, capsys):
    board = make_board(("plain", "clever"), [CLEAN], seeds=3)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    store = Store(Home(folder / "home"))
    for record in records:
        store.write(msgspec.structs.replace(record))
    remember_run(store.home, board, records, None)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert invoke(["show", "--open"]) == 0
    path = store.home.page("demo")
    assert opened == [path.as_uri()]
    assert "clever is best" in path.read_text()
    assert invoke(["plot", "differences", "--out", "figure.svg"]) == 0
    assert (folder / "figure.svg").read_text().startswith("<svg")
    capsys.readouterr()
    assert invoke(["plot", "labels", "--out", "figure.svg"]) == 2
    assert "tell nothing for the figure 'labels'" in capsys.readouterr().err
