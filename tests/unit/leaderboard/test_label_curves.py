from __future__ import annotations

import json
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from scipy import stats as scipy_stats

from benchbase.leaderboard import board_files, build, render_json, render_markdown
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.label_curves import label_curves, label_tables
from benchbase.leaderboard.pages.label_chart import LINE_HEIGHT, label_charts
from tests.unit.made_records import make_board, make_record, make_relabelling, make_scenario

BUDGET = make_scenario(0.4, 10, label_budget=40)


def record_of(name, seed, heights, scenario=BUDGET, **fields):
    return make_record(name, scenario, seed, relabelling=make_relabelling(heights), **fields)


def board_of(*names, **fields):
    return make_board(["plain", *names], scenarios=[BUDGET], seeds=3, **fields)


def curves_of(board, records):
    return {entry.label: label_curves(entry, board) for entry in choose(board, records)}


def test_a_curve_is_the_mean_over_seeds_with_an_interval_of_its_area():
    board = board_of("buyer")
    ends = [0.8, 0.9, 0.7]
    records = [
        record_of("buyer", seed, {0: 0.5, 20: 0.6, 40: end}) for seed, end in enumerate(ends)
    ]
    [curve] = curves_of(board, records)["buyer"]
    assert (curve.scenario, curve.labels_bought, curve.seeds) == (0, (0, 20, 40), 3)
    assert curve.scores == pytest.approx((0.5, 0.6, 0.8))
    areas = [0.25 * 0.5 + 0.5 * 0.6 + 0.25 * end for end in ends]
    interval = scipy_stats.t.interval(0.95, 2, loc=sum(areas) / 3, scale=scipy_stats.sem(areas))
    assert (curve.area.mean, curve.area.low, curve.area.high) == pytest.approx(
        (sum(areas) / 3, *interval)
    )


def test_a_number_of_labels_counts_where_every_seed_was_judged_at_it():
    board = board_of("buyer")
    records = [
        record_of("buyer", 0, {0: 0.5, 10: 0.6, 40: 0.7}),
        record_of("buyer", 1, {0: 0.6, 15: 0.9, 40: 0.9}),
        make_record("buyer", BUDGET, 2, status="oom"),
    ]
    [curve] = curves_of(board, records)["buyer"]
    assert curve.labels_bought == (0, 40)
    assert curve.scores == pytest.approx((0.55, 0.8))
    assert curve.seeds == 2
    assert "buyer †" in label_tables(build(board, records))[0].rows[0]


def test_a_single_number_of_labels_has_no_area():
    [curve] = curves_of(board_of("buyer"), [record_of("buyer", 0, {40: 0.7})])["buyer"]
    assert curve.area is None


def test_an_area_over_part_of_the_budget_or_of_the_seeds_is_none():
    late, unlucky = {30: 0.9, 40: 0.9}, {0: 0.9, 40: 0.9}
    records = [record_of("late", seed, late) for seed in range(3)]
    records += [record_of("unlucky", seed, unlucky) for seed in range(2)]
    records += [make_record("unlucky", BUDGET, 2, status="error")]
    records += [record_of("honest", seed, {0: 0.5, 40: 0.6}) for seed in range(3)]
    board = board_of("late", "unlucky", "honest")
    curves = curves_of(board, records)
    assert curves["late"][0].area is None
    assert curves["unlucky"][0].area is None
    [table] = label_tables(build(board, records))
    assert table.rows[0][0] == "honest"


def test_a_row_that_sees_the_truth_says_so_beside_its_name():
    records = [
        record_of("knowing", seed, {0: 0.5, 40: 0.9}, grants={"truth": "all labels"})
        for seed in range(3)
    ]
    [table] = label_tables(build(board_of("knowing"), records))
    assert table.rows[0][0] == "knowing (uses the true labels)"


def test_the_boards_metric_is_shown_where_records_hold_it():
    record = record_of("buyer", 0, {0: 0.5, 40: 0.7})
    block = record.relabelling
    block.macro_f1[:], block.area["macro_f1"] = [0.1, 0.2], 0.15
    for metric, score in (("macro_f1", 0.1), ("macro_auroc", 0.5)):
        [curve] = curves_of(board_of("buyer", metric=metric), [record])["buyer"]
        assert curve.scores[0] == score


def example():
    board = board_of("buyer", "guesser", controls=["oracle"])
    heights = {"buyer": 0.7, "guesser": 0.65, "oracle": 0.9}
    records = [make_record("plain", BUDGET, seed) for seed in board.seeds]
    records += [
        record_of(name, seed, {0: 0.5, 20: end - 0.05, 40: end})
        for name, end in heights.items()
        for seed in board.seeds
    ]
    return board, records


def test_the_page_has_a_table_for_each_data_set_with_the_best_area_first():
    board, records = example()
    page = render_markdown(build(board, records))
    section = page[page.index("## Score against labels bought") : page.index("## What the columns")]
    cells = [[c.strip() for c in line.split("|")[1:-1]] for line in section.splitlines()]
    assert [row for row in cells if len(row) == 6][2:] == [
        ["oracle (control)", "50.0", "85.0", "90.0", "77.5 ± 0.0", "3"],
        ["buyer", "50.0", "65.0", "70.0", "62.5 ± 0.0", "3"],
        ["guesser", "50.0", "60.0", "65.0", "58.8 ± 0.0", "3"],
    ]
    assert "### symmetric 0.4, 1:10\n" in section
    assert "](labels-bought-1.svg)" in section
    assert "Balanced accuracy in percent" in section
    assert "ledger" in section


def test_the_json_holds_the_curves():
    board, records = example()
    rows = {row["label"]: row for row in json.loads(render_json(build(board, records)))["rows"]}
    [curve] = rows["buyer"]["label_curves"]
    assert curve["labels_bought"] == [0, 20, 40]
    assert curve["scores"] == [0.5, 0.65, 0.7]
    assert curve["area"]["mean"] == 0.625
    assert rows["plain"]["label_curves"] == []


def test_a_board_without_labels_for_sale_has_no_such_section():
    board = make_board()
    files = board_files(board, [make_record()])
    assert "labels bought" not in files["README.md"]
    assert set(files) == {"README.md", "leaderboard.csv", "leaderboard.json"}


def test_very_many_numbers_of_labels_are_thinned_out_between_the_ends():
    heights = {labels: 0.5 + labels / 200 for labels in range(41)}
    [table] = label_tables(build(board_of("buyer"), [record_of("buyer", 0, heights)]))
    shown = [int(text) for text in table.header[1:-2]]
    assert (len(shown), shown[0], shown[-1]) == (12, 0, 40)


def test_the_columns_are_those_that_most_methods_have():
    often = dict.fromkeys(range(41), 0.5)
    seldom = {0: 0.5, 3: 0.6, 5: 0.7, 40: 0.8}
    board = board_of("often", "seldom", "rarely")
    records = [record_of("often", 0, often)]
    records += [record_of(name, 0, seldom) for name in ("seldom", "rarely")]
    [table] = label_tables(build(board, records))
    shown = [int(text) for text in table.header[1:-2]]
    assert len(shown) == 12
    assert shown == sorted({*shown, *seldom})
    assert max(b - a for a, b in pairwise(shown)) < 8, "and the rest is spread evenly"


def parsed(chart):
    return ET.fromstring(chart)  # noqa: S314 - our own drawing


def test_a_chart_stands_beside_the_page_and_draws_a_line_for_each_method():
    board, records = example()
    files = board_files(board, records)
    drawn = parsed(files["labels-bought-1.svg"])
    space = "{http://www.w3.org/2000/svg}"
    lines = [line.get("points").split() for line in drawn.iter(f"{space}polyline")]
    assert [len(points) for points in lines] == [3, 3, 3]
    ends = [float(points[-1].split(",")[1]) for points in lines]
    assert ends == sorted(ends), "the best area first, and higher scores higher up"
    texts = [text.text for text in drawn.iter(f"{space}text")]
    assert texts[-3:] == ["oracle (control)", "buyer", "guesser"]
    assert {"0", "20", "40", "50", "90", "labels bought"} <= set(texts)
    assert files == board_files(board, list(reversed(records))), "the same records, the same bytes"


def test_names_at_the_ends_of_lines_stay_apart_and_inside():
    names = [f"m{number}" for number in range(20)]
    board = board_of(*names, "a<b")
    records = [record_of(name, 0, {0: 0.5, 40: 0.5}) for name in (*names, "a<b")]
    [chart] = label_charts(build(board, records)).values()
    drawn = parsed(chart)
    height = float(drawn.get("viewBox").split()[3])
    texts = {e.text: float(e.get("y")) for e in drawn.iter("{http://www.w3.org/2000/svg}text")}
    heights = sorted(texts[name] for name in (*names, "a<b"))
    assert all(b - a > LINE_HEIGHT - 0.2 for a, b in pairwise(heights))
    assert heights[0] > 0
    assert heights[-1] < height
