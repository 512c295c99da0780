"""What a table says of images on both sides of a split."""

from __future__ import annotations

from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.rows import build
from tests.unit.made_records import changed, make_board, make_records


def table_of(**leakage: int):
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    return build(board, [changed(record, "corruption", leakage=leakage) for record in records])


def test_leaks_are_told_on_the_terminal_and_on_the_page():
    table = table_of(train_in_test=80, train_in_groups_of_test=1200, trusted_in_test=0)
    sentence = (
        "Leakage in nuclei: 80 training images that are in test too, 1,200 training images of "
        "groups that are in test too. Scores on it may be too high."
    )
    assert sentence in list(remarks(table))
    assert sentence in render_markdown(table)
    assert table.to_json()["leaks"] == [sentence]


def test_images_that_repeat_within_train_are_no_leak():
    assert table_of(train_in_test=0, train_repeated=9).leaks == ()
    assert table_of().leaks == ()
