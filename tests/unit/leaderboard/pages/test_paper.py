from __future__ import annotations

import json

from benchbase.leaderboard import build
from benchbase.leaderboard.pages.csv import render_jsonl
from benchbase.leaderboard.pages.paper import paper_latex, paper_markdown
from tests.unit.made_records import make_board, make_record, make_scenario

HOSTILE = r"a_b&c%d#e$f{g}~h^i\j"


def made_table():
    scenarios = [make_scenario(), make_scenario(0.7, ratio=10)]
    board = make_board(["plain", "clever"], scenarios, seeds=3, title="100% certain")
    scores = {"plain": 0.75, "clever": 0.7}
    records = [
        make_record(name, scenario, seed, score + 0.01 * seed, identifiable=not place)
        for name, score in scores.items()
        for place, scenario in enumerate(scenarios)
        for seed in board.seeds
    ]
    return build(board, records)


def test_a_paper_gets_a_line_a_method_with_the_best_in_bold():
    header, _, *lines = paper_markdown(made_table()).splitlines()
    assert [cell.strip() for cell in header.split("|")[1:-1]] == [
        *("rank", "method", "labels as given, 1:1", "symmetric 0.7, 1:10 ‡", "over all"),
        "difference to plain",
    ]
    plain, clever = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert plain[1:3] == ["plain", "**76.0 ± 2.5**"]
    assert clever[1:3] == ["clever", "71.0 ± 2.5"]
    assert plain[-1] == "reference"
    assert clever[-1].startswith("-5.0 ± ")


def test_latex_has_the_lines_of_booktabs_and_signs_that_it_can_set():
    text = paper_latex(made_table())
    comments, _, tabular = text.partition("\\begin{tabular}")
    assert all(line.startswith("% ") for line in comments.splitlines())
    assert comments.startswith("% 100% certain: balanced accuracy in percent")
    assert [text.count(rule) for rule in ("\\toprule", "\\midrule", "\\bottomrule")] == [1, 1, 1]
    assert "\\textbf{76.0 $\\pm$ 2.5}" in tabular
    assert "$-$5.0 $\\pm$" in tabular
    assert "1:10 $\\ddagger$" in tabular
    assert tabular.isascii()


def test_a_hostile_name_stays_text_in_latex():
    board = make_board(["plain", HOSTILE], [make_scenario()], seeds=3)
    text = paper_latex(build(board, []))
    escaped = (
        r"a\_b\&c\%d\#e\$f\{g\}\ensuremath{\sim}h\^{}i\textbackslash{}j",
        r"a\_b\&c\%d\#e\$f\{g\}\textasciitilde{}h\^{}i\textbackslash{}j",
    )
    assert any(name in text for name in escaped)
    assert HOSTILE not in text


def test_json_lines_hold_what_the_csv_holds_as_numbers():
    lines = [json.loads(line) for line in render_jsonl(made_table()).splitlines()]
    assert len(lines) == 2 * 3
    overall = next(line for line in lines if line["method"] == "plain")
    assert overall["scenario"] == "overall"
    assert overall["dataset"] is None
    assert overall["score"] == 0.76
    assert lines[1]["imbalance"] == "exponential[ratio=1]", "no mark for spreadsheets"
