"""The forest plot: what is drawn for which row, and where."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from benchbase.leaderboard.pages.forest_chart import NAME, forest_chart
from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.rows import build
from tests.unit.made_records import make_board, make_record, make_records

SVG = "{http://www.w3.org/2000/svg}"


def drawn(table):
    [(name, picture)] = forest_chart(table).items()
    assert name == NAME
    return ET.fromstring(picture)  # noqa: S314 - our own drawing


def test_every_method_but_the_reference_is_a_line_with_its_numbers():
    board = make_board(["plain", "clever", "poor"], controls=["yardstick"])
    records = make_records(board, {"plain": 0.7, "clever": 0.8, "poor": 0.65, "yardstick": 0.72})
    table = build(board, records)
    root = drawn(table)
    words = [each.text for each in root.iter(f"{SVG}text")]
    assert [word for word in words if word in ("plain", "clever", "poor")] == ["clever", "poor"]
    assert "yardstick (control)" in words
    [told] = [word for word in words if word.startswith("+10.")]
    assert re.fullmatch(r"\+10\.\d \(\+\d+\.\d to \+\d+\.\d\)", told)
    assert f"]({NAME})" in render_markdown(table)
    places = [float(each.get("cx")) for each in root.iter(f"{SVG}circle")]
    assert places[0] > places[2] > places[1], "clever, the yardstick, poor from right to left"
    [zero] = [each for each in root.iter(f"{SVG}path") if each.get("stroke") == "#333"]
    at_zero = float(zero.get("d")[1:].split()[0])
    assert places[1] < at_zero < places[2]


def test_two_seeds_have_no_interval_and_no_picture():
    board = make_board(seeds=2)
    table = build(board, make_records(board, {"plain": 0.7, "clever": 0.8}))
    assert forest_chart(table) == {}
    assert NAME not in render_markdown(table)


def test_a_row_that_failed_is_not_drawn():
    board = make_board(["plain", "clever", "broken"])
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    records += [
        make_record("broken", scenario, seed, 0.7, status="ok" if seed else "oom")
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    words = [each.text for each in drawn(build(board, records)).iter(f"{SVG}text")]
    assert "broken" not in words


def test_a_hostile_name_stays_text():
    board = make_board(["plain", "clever[mode=<script>]"])
    records = make_records(board, {"plain": 0.7})
    records += make_records(board, {"clever": 0.8}, options={"mode": "<script>"})
    root = drawn(build(board, records))
    assert any("<script>" in (each.text or "") for each in root.iter(f"{SVG}text"))
