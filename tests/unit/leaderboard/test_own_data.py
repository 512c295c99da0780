"""What a page says of the data: images of one's own, and cards."""

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


def test_the_page_holds_the_card_of_a_data_set():
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    assert "## The data" not in render_markdown(build(board, records))
    card = {"licence": "CC0", "problems": "a_b"}
    table = build(board, [changed(record, "corruption", card=card) for record in records])
    assert table.cards == {"nuclei": card}
    page = render_markdown(table)
    assert "## The data: nuclei\n\n- **licence**: CC0\n- **problems**: a\\_b\n" in page
