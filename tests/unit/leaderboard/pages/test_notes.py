"""What the notes say of a table."""

from __future__ import annotations

import re

import pytest

from benchbase.boards.selectors import parse_selector
from benchbase.cell import Invariances, Recipe
from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.rows import build
from tests.unit.made_records import changed, make_board, make_record, make_records, make_scenario


@pytest.mark.parametrize(
    ("epochs", "says"), [(1, "1 epoch is a look"), (6, "6 epochs are a look"), (10, "")]
)
def test_a_few_epochs_are_called_a_look(epochs, says):
    board = make_board(["erm"], [make_scenario(recipe=Recipe(epochs=epochs))], reference="erm")
    said = list(remarks(build(board, make_records(board, {"erm": 0.7}))))
    looks = [line for line in said if "a look, not a comparison" in line]
    assert [line[: len(says)] for line in looks] == ([says] if says else [])


@pytest.mark.parametrize(("seeds", "shown"), [(5, False), (6, True)])
def test_an_exact_test_is_shown_only_where_it_could_say_something(seeds, shown):
    board = make_board(seeds=seeds)
    page = render_markdown(build(board, make_records(board, {"plain": 0.7, "clever": 0.8})))
    assert ("over 6 seeds, two-sided" in page) == shown
    assert ("sign-flip" in page) == shown


def test_one_s_own_row_is_marked_on_the_page():
    board = make_board(["plain", "mine"])
    records = [make_record("plain"), make_record("mine", distribution="file")]
    page = render_markdown(build(board, records))
    assert "| > mine " in page
    assert "\n- \\> A file or module of one's own, in no installed distribution.\n" in page
    assert "A file or module" not in render_markdown(build(board, records[:1]))


def test_weights_that_never_left_one_are_named():
    board = make_board()
    records = make_records(board, {"plain": 0.7})
    records += [
        changed(record, "weights", never_left_one=True)
        for record in make_records(board, {"clever": 0.8}, auroc=0.5)
    ]
    said = list(remarks(build(board, records)))
    assert "Weights that never left 1: clever; they train as if there were none." in said


def test_shares_of_the_headroom_stand_in_the_first_table_and_by_scenario():
    scenarios = [make_scenario(), make_scenario(0.4)]
    perfect = parse_selector("perfect")
    board = make_board(
        ["plain", "clever"], scenarios, controls=["perfect"], yardsticks={"weights": perfect}
    )
    page = render_markdown(
        build(board, make_records(board, {"plain": 0.6, "clever": 0.7, "perfect": 0.8}))
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    assert next(row for row in rows if row[1:2] == ["clever"])[4].startswith("50 % (")
    by_scenario = page[page.index("## Share of the headroom") :].splitlines()
    assert re.match(
        r"\| clever +\| perfect +\| 50 % .* \| no headroom by construction +\| 50 %", by_scenario[4]
    )


def test_the_page_tells_how_images_were_augmented():
    board = make_board(["erm"], reference="erm")
    page = render_markdown(build(board, make_records(board, {"erm": 0.7})))
    assert f"Augmentation of nuclei: {Invariances()}." in page


@pytest.mark.parametrize(
    ("updates", "share", "milliseconds"), [([40], 1.0, "250.0"), ([30, 10], 0.75, "250.0")]
)
def test_fewer_steps_are_said_and_a_step_s_cost_is_shown(updates, share, milliseconds):
    scenario = make_scenario()
    record = changed(
        make_record("erm", scenario, 0, 0.7, seconds=10.0),
        "training",
        updates=updates,
        steps_allowed=40,
        images_with_gradient=1234,
    )
    table = build(make_board(["erm"], [scenario], reference="erm"), [record])
    [row] = table.rows
    assert row.cost.steps == share
    said = [line for line in remarks(table) if line.startswith("Fewer optimiser steps")]
    assert said == [f"Fewer optimiser steps than the recipe's: erm {share:.0%}."] * (share < 1)
    [line] = [line for line in render_markdown(table).splitlines() if "1,234" in line]
    assert [cell.strip() for cell in line.split("|")][2:5] == [
        f"{share:.0%}",
        milliseconds,
        "1,234",
    ]
