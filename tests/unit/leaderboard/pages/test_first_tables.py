"""The ranking in blocks, the best of each scenario in bold."""

import dataclasses

from benchbase.leaderboard import build
from benchbase.leaderboard.pages.first_tables import ranking, scenario_table
from tests.unit.made_records import make_board, make_record, make_records, make_scenario


def first_cells(markdown, count):
    return [
        [cell.strip() for cell in line.split("|")[1 : 1 + count]]
        for line in markdown.splitlines()[2:]
    ]


def test_rows_that_were_given_the_same_stand_together():
    board = make_board(["plain", "checked", "told"], controls=["knowing"])
    board = dataclasses.replace(board, yardsticks={"weights": board.controls[0]})
    records = make_records(board, {"plain": 0.7})
    for name, mean, grants in (
        ("checked", 0.8, {"trusted": "clean"}),
        ("told", 0.75, {"noise rate": "realised rate"}),
        ("knowing", 0.9, {"truth": "all"}),
    ):
        records += [
            make_record(name, scenario, seed, mean, grants=grants)
            for scenario in board.scenarios
            for seed in board.seeds
        ]
    table = build(board, records)
    assert first_cells(ranking(table), 2) == [
        ["", "*given the labels alone*"],
        ["3", "plain"],
        ["", "*told the noise rate*"],
        ["2", "told"],
        ["", "*given images or labels that were checked*"],
        ["1", "checked"],
        ["", "*yardsticks, never ranked*"],
        ["–", "knowing (control)"],
    ]
    assert "what perfect weights would bring |" in ranking(table).splitlines()[-1]


def test_one_block_alone_has_no_heading():
    board = make_board(["plain", "clever"])
    table = build(board, make_records(board, {"plain": 0.7, "clever": 0.8}))
    assert first_cells(ranking(table), 2) == [["1", "clever"], ["2", "plain"]]


def test_the_best_ranked_method_of_each_scenario_is_bold():
    board = make_board(
        ["plain", "clever"],
        controls=["yardstick"],
        scenarios=[make_scenario(), make_scenario(0.4)],
    )
    easy, hard = board.scenarios
    heights = {"plain": (0.8, 0.5), "clever": (0.75, 0.6), "yardstick": (0.9, 0.9)}
    records = [
        make_record(name, scenario, seed, height)
        for name, pair in heights.items()
        for scenario, height in zip((easy, hard), pair, strict=True)
        for seed in board.seeds
    ]
    assert first_cells(scenario_table(build(board, records)), 3) == [
        ["clever", "75.0 ± 0.0", "**60.0 ± 0.0**"],
        ["plain", "**80.0 ± 0.0**", "50.0 ± 0.0"],
        ["yardstick (control)", "90.0 ± 0.0", "90.0 ± 0.0"],
    ]
