"""What the notes say of a table."""

from __future__ import annotations

import pytest

from benchbase.cell import Recipe
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.rows import build
from tests.unit.made_records import make_board, make_records, make_scenario


@pytest.mark.parametrize(
    ("epochs", "says"), [(1, "1 epoch is a look"), (6, "6 epochs are a look"), (10, "")]
)
def test_a_few_epochs_are_called_a_look(epochs, says):
    board = make_board(["erm"], [make_scenario(recipe=Recipe(epochs=epochs))], reference="erm")
    said = list(remarks(build(board, make_records(board, {"erm": 0.7}))))
    looks = [line for line in said if "a look, not a comparison" in line]
    assert [line[: len(says)] for line in looks] == ([says] if says else [])
