from __future__ import annotations

import pytest

from benchbase.leaderboard.pages.escaping import markdown_table, spreadsheet_cell, terminal_text


def test_neither_a_bar_nor_a_line_break_ends_a_column():
    lines = markdown_table([["a|b", "c\nd"]], ["x|y", "z"]).splitlines()
    assert len(lines) == 3
    assert [line.replace("\\|", "").count("|") for line in lines] == [3, 3, 3]


@pytest.mark.parametrize("text", ["1:10", "=1+1", "+x", "-x", "@x"])
def test_a_spreadsheet_takes_a_text_for_a_text(text):
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["erm", "symmetric 0.4, 1:10", "exponential 1:10", "1.0"])
def test_other_texts_stay(text):
    assert spreadsheet_cell(text) == text


def test_nothing_moves_the_cursor():
    assert terminal_text("a\x1b[2Jb") == "a?[2Jb"
