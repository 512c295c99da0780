"""What a page says of images of one's own."""

from __future__ import annotations

from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.rows import build
from tests.unit.made_records import changed, make_board, make_records


def test_the_page_says_how_images_were_read():
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    assert build(board, records).own_data == ()
    noted = [changed(record, "corruption", notes=["8 x 8", "2 are grey"]) for record in records]
    table = build(board, noted)
    assert table.own_data == ("**nuclei**: 8 x 8; 2 are grey.",)
    assert table.own_data[0] in render_markdown(table)
