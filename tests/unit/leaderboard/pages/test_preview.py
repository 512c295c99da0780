from __future__ import annotations

import pytest

from benchbase.leaderboard.pages.preview import LONGEST, MOST_ROWS, as_code, render_preview
from benchbase.leaderboard.rows import build
from tests.unit.made_records import CLEAN, make_board, make_records

HOSTILE = "<img src=x> [here](http://x.example) @everyone #1 a|b `*_\n# a heading"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "`plain`"),
        ("a`b", "`a'b`"),
        ("a\n\n# b", "`a # b`"),
        ("a\u202eb", "`a b`"),
        ("", "–"),
    ],
)
def test_nothing_ends_a_code_span(text, written):
    assert as_code(text) == written


def test_a_long_word_is_cut():
    assert as_code("x" * 200) == f"`{'x' * LONGEST}…`"


def test_a_hostile_name_stays_in_its_cell():
    board = make_board(("plain", HOSTILE), [CLEAN], seeds=3)
    before = make_board(("plain",), [CLEAN], seeds=3)
    known = make_records(before, {"plain": 0.7})
    new = make_records(make_board((HOSTILE,), [CLEAN], seeds=3), {HOSTILE: 0.8})
    text = render_preview(build(board, [*known, *new]), build(before, known), new)
    lines = text.splitlines()
    assert len(lines) == 8
    for line in lines:
        assert line.count("`") % 2 == 0
        outside = "".join(line.split("`")[::2])
        assert not {"<", "@", "#", "["} & {*outside}, line
    assert all(line.replace("\\|", "").count("|") == 7 for line in lines if line[:1] == "|")


def test_a_table_too_long_for_a_comment_is_cut():
    names = [f"m{number}" for number in range(MOST_ROWS + 5)]
    board = make_board(names, [CLEAN], seeds=1, reference="m0")
    text = render_preview(build(board, []), build(board, []), [])
    assert text.endswith("5 more rows are not shown.\n")
