"""What a table says of its data."""

from __future__ import annotations

from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.rows import build
from tests.unit.made_records import NOISY, make_board, make_record


def table_of(*known: bool):
    board = make_board(scenarios=(NOISY,), seeds=len(known))
    return build(
        board,
        [make_record("plain", NOISY, seed, truth_known=it) for seed, it in enumerate(known)],
    )


def test_labels_as_given_are_told_on_the_terminal_on_the_page_and_to_programs():
    table = table_of(False, False, False)
    sentence = (
        "Labels of nuclei are as given, those of test too: how many are wrong is not known. Only "
        "labels that noise changed count as wrong here, and trusted images may be wrong as well."
    )
    assert sentence in list(remarks(table))
    assert sentence in render_markdown(table)
    assert table.to_json()["as_given"] == [sentence]


def test_labels_that_are_right_are_not_called_as_given():
    assert table_of(True, True, True).as_given == ()


def test_the_track_grants_trusted_images():
    assert "track T10: 10 trusted images a class" in table_of(True).setting
