from __future__ import annotations

import json
import re

import pytest

from benchbase.leaderboard import build
from benchbase.leaderboard.evidence import NONE
from benchbase.leaderboard.site import page
from tests.unit.leaderboard.site.hostile import hostile_board
from tests.unit.made_records import changed, make_board, make_record


@pytest.fixture(scope="module")
def html():
    """The page without the program that draws, which takes seconds to bundle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_bundle", lambda: {"bundle": ""})
        board, records = hostile_board()
        return page.board_page(build(board, records), records)


def test_names_and_descriptions_stay_text(html):
    assert "<script>window" not in html
    assert "<img" not in html
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; <code>more</code>" in html
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html


def test_nothing_is_fetched(html):
    assert re.findall(r'(?:src|href)="(?!#)', html) == []
    assert "default-src 'none'" in html


def test_the_data_tell_where_each_cell_comes_from(html):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    cells = data["cells"]["clever 0"]
    assert [cell["seed"] for cell in cells] == [0, 1, 2]
    assert data["runs"][cells[0]["run"]].startswith("demo-plugin 1.0; ")
    assert "heat" in data["figures"]


def test_a_cell_that_went_on_after_interruptions_says_so():
    board = make_board(("plain",), seeds=2)
    records = [make_record(seed=0), changed(make_record(seed=1), "provenance", lives=3)]
    cells, _ = page._cells(board, records, NONE)
    assert [one["finished"].endswith("in 3 lives") for one in cells["plain 0"]] == [False, True]


def test_every_pool_has_its_verdict_and_table(html):
    assert re.findall(r'data-pool="(\w+)"( hidden)?', html) == [
        ("all", ""),
        ("unchecked", " hidden"),
        ("single", " hidden"),
        ("both", " hidden"),
    ]


def test_the_index_names_each_board_with_its_verdict():
    board, records = hostile_board()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_bundle", lambda: {"bundle": ""})
        text = page.index_page({"demo.html": build(board, records)})
    assert '<a href="demo.html"><bdi>&lt;img src=x' in text
    assert "clever is best" in text
