from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest

from benchbase.errors import UsageError
from benchbase.leaderboard import build
from benchbase.leaderboard.cells import score_text
from benchbase.leaderboard.pairs import pairs
from benchbase.leaderboard.site.drawing import Shown, gain_colours, ink
from benchbase.leaderboard.site.figures import KINDS, figure, figures, picture
from benchbase.leaderboard.site.insights import LINES, _put_names_apart
from tests.unit.leaderboard.site.hostile import NAMES, hostile_board
from tests.unit.made_records import CLEAN, make_board, make_records


@pytest.fixture(scope="module")
def shown():
    board, records = hostile_board()
    return Shown(build(board, records), records, pairs(board, records))


def values(spec):
    """Collect the rows that a figure is drawn from."""
    found = spec.get("data", {}).get("values", [])
    for part in (*spec.get("layer", []), *([spec["spec"]] if "spec" in spec else [])):
        found = [*found, *values(part)]
    return found


def test_what_the_records_tell_is_drawn_and_nothing_else(shown):
    kinds = [one.kind for one in figures(shown)]
    assert kinds == [
        *("differences", "heat", "gains", "degradation", "pairs", "cost", "weights", "recalls"),
    ]
    assert {*kinds} < {*KINDS}
    alone = make_board(("plain",), [CLEAN])
    records = make_records(alone, {"plain": 0.7})
    assert figures(Shown(build(alone, records), records, [])) == []


def test_a_heat_map_has_every_method_under_every_condition(shown):
    rows = values(figure("heat", shown).spec)
    assert len(rows) == len(NAMES) * 6
    assert {(row["noise"], row["imbalance"]) for row in rows} == {
        (noise, imbalance)
        for noise in ("labels as given", "symmetric 0.2", "symmetric 0.4")
        for imbalance in ("1:1", "1:10")
    }
    [told] = [
        row
        for row in rows
        if (row["method"], row["noise"], row["imbalance"]) == ("clever", "labels as given", "1:1")
    ]
    [row] = [row for row in shown.table.rows if row.label == "clever"]
    assert told["score"] == pytest.approx(100 * row.scenarios[0].score.mean, abs=0.005)


@pytest.mark.parametrize(("score", "told"), [(0.496454, "49.6"), (0.496549, "49.7")])
def test_a_heat_map_rounds_as_the_table_does(score, told):
    board = make_board(seeds=1)
    records = make_records(board, {"plain": score, "clever": score})
    table = build(board, records)
    shown = Shown(table, records, pairs(board, records))
    marks = {
        row["method"]: row["mark"]
        for row in values(figure("heat", shown).spec)
        if row["noise"] == "labels as given"
    }
    assert marks["plain"] == told
    assert marks == {row.label: score_text(row.scenarios[0].score) for row in table.rows}


def test_without_noise_the_rate_is_zero(shown):
    rows = values(figure("degradation", shown).spec)
    assert {row["rate"] for row in rows} == {0.0, 0.2, 0.4}
    assert {row["panel"] for row in rows} == {"symmetric, 1:1", "symmetric, 1:10"}


def test_weights_are_told_over_all_and_by_class(shown):
    rows = values(figure("weights", shown).spec)
    assert {row["panel"] for row in rows} == {"all classes", "nucleus", "edge"}
    assert len(rows) == 33 * 3 * len(NAMES)


def test_records_of_other_boards_draw_nothing(shown):
    strangers = Shown(shown.table, [make_stranger(one) for one in shown.records], shown.pairs)
    assert figure("weights", strangers) is None


def make_stranger(record):
    scenario = dataclasses.replace(record.spec.scenario, train_size=7)
    spec = msgspec.structs.replace(record.spec, scenario=scenario)
    return msgspec.structs.replace(record, spec=spec, key="0" * 63 + str(record.spec.seed))


def test_recalls_are_told_with_the_images_that_a_class_had(shown):
    rows = values(figure("recalls", shown).spec)
    assert {row["class"] for row in rows} == {"nucleus (100)", "edge (50)"}
    assert {row["panel"] for row in rows} == {"nuclei, 1:1", "nuclei, 1:10"}


def test_the_best_of_equal_cost_is_the_front(shown):
    rows = values(figure("cost", shown).spec)
    front = {row["method"] for row in rows if row["front"] == "on the Pareto front"}
    assert front == {"clever"}


def test_controls_beat_nobody_in_cost():
    board = make_board(("plain", "clever"), [CLEAN], seeds=3, controls=["knowing"])
    scores = {"plain": 0.7, "clever": 0.75, "knowing": 0.9}
    records = make_records(board, scores)
    table = build(board, records)
    rows = values(figure("cost", Shown(table, records, [])).spec)
    assert {row["method"]: row["front"] for row in rows} == {
        "clever": "on the Pareto front",
        "plain": "beaten in both",
        "knowing (control)": "control",
    }


def test_names_beside_each_other_stand_a_line_apart():
    points = [(78.0, 1.0), (77.9, 1.01), (77.8, 1.02), (77.9, 9.0), (60.0, 1.0)]
    rows = [{"score": score, "time": time} for score, time in points]
    _put_names_apart(rows)
    line = 18 / LINES
    heights = [78, 78 - line, 78 - 2 * line, 77.9, 60]
    assert [row["name at"] for row in rows] == pytest.approx(heights, abs=0.001)


def test_the_same_records_give_the_same_figures(shown):
    one, other = ([each.spec for each in figures(shown)] for _ in range(2))
    assert json.dumps(one) == json.dumps(other)


def test_ink_is_white_on_dark():
    rows = [{"x": value} for value in (-10.0, -1.0, 0.0, 1.0, 2.0)]
    ink(rows, "x", diverging=True)
    assert [row["dark"] for row in rows] == [True, False, False, False, False]
    assert gain_colours(rows, "x")["domain"] == [-10.0, 10.0]
    ink(rows, "x")
    assert [row["dark"] for row in rows] == [True, False, False, False, False]


def test_a_figure_is_a_file_for_a_paper(shown):
    drawn = figure("differences", shown)
    assert picture(drawn, ".svg").startswith(b"<svg")
    with pytest.raises(UsageError, match=r"\.svg, \.pdf or \.png"):
        picture(drawn, ".gif")
