from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from benchbase.cli.printing import print_curves, print_table, sparkline
from benchbase.leaderboard import build
from benchbase.leaderboard.curves import Curves, mean_curves
from tests.unit.made_records import (
    changed,
    make_board,
    make_record,
    make_records,
    make_relabelling,
    make_scenario,
)

LONG = "a-method-of-a-long-name[momentum=0.9,warm_up=5]"


def printed(table, **settings):
    file = io.StringIO()
    print_table(table, Console(file=file, **{"width": 80, "no_color": True, **settings}))
    return file.getvalue()


def example(seeds=3):
    board = make_board(weighters=["plain", "clever", "broken"], seeds=seeds)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    records += [
        make_record("broken", scenario, seed, status="oom")
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    return build(board, records)


def test_a_pipe_gets_plain_text_without_boxes():
    lines = printed(example()).splitlines()
    assert lines[0] == "Demo board"
    assert lines[4].split("  ")[0] == "1*"
    assert re.search(r"clever +78\.6 ± 2\.5 +\+10\.1 ± 0\.6 better +0 +x 1\.00", lines[4])
    assert lines[6].split() == ["3*", "broken", "failed", "-68.6", "6", "–"]
    assert "* Provisional: 3 seeds; a firm rank needs 5." in lines
    assert not any("│" in line or "\x1b" in line for line in lines)


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_the_terminal_with_long_names_and_brackets(width):
    board = make_board(weighters=["plain", LONG], seeds=5)
    text = printed(build(board, []), force_terminal=True, width=width, color_system=None)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "[momentum=0.9" in text.replace("\n", "")
    assert ("AUROC" in text) == (width == 140)


def test_two_seeds_are_said_to_rank_nobody():
    assert "Not ranked: clever, plain, broken (2 seeds; 3 are needed)." in printed(example(seeds=2))


def test_an_empty_table_prints():
    assert "Not ranked: clever, plain (not run)." in printed(build(make_board(), []))


def test_a_single_scenario_has_no_table_of_its_own():
    board = make_board(scenarios=[make_scenario()])
    assert "Scenario by scenario" not in printed(build(board, []))


def test_a_sparkline_spans_its_scale_and_shows_gaps():
    assert sparkline((0.0, None, 0.5, 1.0), 0.0, 1.0) == "▁ ▅█"
    assert sparkline((0.3, 0.3), 0.3, 0.3) == "▁▁"


def test_a_long_curve_is_thinned_and_keeps_its_last_value():
    curve = (*[0.0] * 99, 1.0)
    drawn = sparkline(curve, 0.0, 1.0)
    assert len(drawn) <= 12
    assert drawn.endswith("█")


def test_curves_are_drawn_for_each_scenario_and_method():
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    file = io.StringIO()
    print_curves(mean_curves(board, records), Console(file=file, width=80))
    text = file.getvalue()
    assert text.count("Balanced accuracy by epoch:") == 2
    assert "clever    0.56 ▃▆█ 0.76" in text


def test_a_method_that_reports_no_weights_has_a_dash():
    file = io.StringIO()
    curves = Curves("clean", "plain", {"test_balanced_accuracy": (0.0, 0.5)})
    print_curves([curves], Console(file=file, width=80))
    assert file.getvalue().splitlines()[-2].split() == ["plain", "0.00", "▁█", "0.50", "–", "–"]


def test_what_labels_were_bought_for_is_printed():
    board = make_board(scenarios=[make_scenario(label_budget=20)], seeds=1, controls=["oracle"])
    scenario = board.scenarios[0]
    records = [
        make_record(
            name,
            scenario,
            relabelling=make_relabelling({0: 0.5, 20: end}),
            curves={"test_balanced_accuracy": [0.5, end], "labels_bought": [0.0, 20.0]},
        )
        for name, end in (("clever", 0.7), ("oracle", 0.9))
    ]
    lines = printed(build(board, records)).splitlines()
    start = lines.index("Score against labels bought: labels as given, 1:1")
    assert [line.split() for line in lines[start + 4 : start + 6]] == [
        ["oracle", "(control)", "50.0", "90.0", "70.0", "1"],
        ["clever", "50.0", "70.0", "60.0", "1"],
    ]
    file = io.StringIO()
    print_curves(mean_curves(board, records), Console(file=file, width=100))
    assert "labels bought" in file.getvalue()
    assert re.search(r"clever +0\.50 .* 0 ▁█ 20", file.getvalue())


def test_brackets_are_no_markup_in_any_cell_heading_or_title():
    board = make_board(weighters=["plain[gain=1,3]"], reference="plain[gain=1]", title="A [/b] B")
    text = printed(build(board, []), force_terminal=True, width=120, color_system=None)
    assert "A [/b] B" in text
    assert text.count("plain[gain=1]") >= 2
    assert "plain[gain=3]" in text


def test_a_table_too_wide_for_the_terminal_is_cut_between_columns_not_in_words():
    board = make_board(weighters=[f"methodical-{n}" for n in range(9)], reference="methodical-0")
    text = printed(build(board, []), force_terminal=True, width=60, color_system=None)
    assert max(cell_len(line) for line in text.splitlines()) <= 60
    assert all(f"methodical-{n}" in text for n in range(9))
    assert "balanced" in text
    assert "accuracy" in text


@pytest.mark.parametrize("given", ["file", "module"])
@pytest.mark.parametrize("dataset", ["nuclei", "somebody-s-own"])
def test_one_s_own_row_is_marked_in_every_table(given, dataset):
    scenarios = [make_scenario(rate, dataset=dataset) for rate in (0.0, 0.4)]
    board = make_board(["plain", "clever"], scenarios)
    records = [
        make_record(name, scenario, distribution=whose)
        for name, whose in (("plain", "demo-plugin"), ("clever", given))
        for scenario in scenarios
    ]
    text = printed(build(board, records))
    assert text.count("> clever") == 2  # among all, and scenario by scenario
    assert "> A file or module of one's own" in text
    assert "> plain" not in text


def test_chance_is_told():
    record = changed(make_record("clever"), "corruption", classes=["a", "b", "c"])
    assert "Chance level: 33.3 %" in printed(build(make_board(), [record]))


def test_two_seeds_have_a_range_and_no_interval():
    text = printed(example(seeds=2))
    assert "±" not in text
    assert re.search(r"clever +78\.1 \(77\.\d to 78\.\d\) +\+10\.\d \(", text)


def test_more_than_three_methods_of_one_reason_are_counted():
    board = make_board(weighters=[f"m{n}" for n in range(5)], reference="m0")
    assert "Not ranked: all 5 methods (not run)." in printed(build(board, []))


def test_equal_weights_have_no_auroc_curve():
    file = io.StringIO()
    curves = Curves("clean", "plain", {"weight_auroc": (0.5, 0.5)})
    print_curves([curves], Console(file=file, width=80))
    assert file.getvalue().splitlines()[-2].split() == ["plain", "–", "–", "–"]
