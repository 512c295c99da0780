from __future__ import annotations

import dataclasses

import pytest

from benchbase.boards.entrants import _one, _told_apart, _with_labels
from benchbase.boards.plan import Contestant, contestants
from benchbase.boards.request import Request
from benchbase.boards.selectors import parse_selector, parse_selectors
from benchbase.errors import UsageError
from benchbase.leaderboard.cells import label_text
from benchbase.leaderboard.publish import beside
from benchbase.leaderboard.rows import build
from tests.running import given, installed
from tests.unit.jobs import make_job
from tests.unit.made_records import CLEAN, make_board, make_record

TWO = """
from benchbase import LossWeighter, Need


class One(LossWeighter):
    name = "one"

    def prepare(self, task):
        return lambda step: step.losses.new_ones(len(step.losses))


class Other(One):
    name = "other"
"""


def entered(*names: str) -> list[Contestant]:
    jobs = [make_job(name) for name in names]
    return [Contestant(job.cell.weighter, job.weighter) for job in jobs]


def test_rows_and_controls_are_named_as_their_records_will_be():
    board = make_board(["./plain.py"], controls=["./yardstick.py"])
    named = _with_labels(
        board, entered("plain")[0], entered("plain", "clever"), entered("yardstick")
    )
    assert named.weighters == parse_selectors(["plain", "clever"])
    assert named.controls == parse_selectors(["yardstick"])


def test_what_is_ranked_is_no_control():
    board = make_board(["plain"], controls=["clever[gain=1]"])
    with pytest.raises(UsageError, match="'clever' is a control of the board demo and one of its"):
        _with_labels(board, entered("plain")[0], entered("plain", "clever"), entered("clever"))


def test_a_method_of_one_s_own_stands_beside_the_board_s_rows_and_controls():
    written = make_board(["plain", "clever", "late"], controls=["yardstick", "later"])
    asked = make_board(["mine", "plain"])
    records = [make_record(name) for name in ("mine", "plain", "clever", "yardstick")]
    board = beside(asked, written, records)
    assert board.weighters == parse_selectors(["mine", "plain", "clever"])
    assert board.controls == parse_selectors(["yardstick"])


@pytest.mark.parametrize("trusted", [True, False], ids=["apart", "inline"])
def test_a_control_of_the_board_stays_one_when_it_is_named_with_plugin(trusted):
    written = make_board(["erm"], [CLEAN], controls=["focal[gamma=1,3]"], reference="erm")
    names = parse_selectors(["erm", "focal[gamma=2,3]"])
    asked = dataclasses.replace(written, weighters=names, controls=())
    request = Request(asked, written, None)
    ranked, controls = _told_apart(request, installed(), {})
    board = _with_labels(asked, ranked[0], ranked, controls)
    assert board.weighters == parse_selectors(["erm", "focal"])
    assert board.controls == parse_selectors(["focal[gamma=3.0]"])
    records = [
        make_record(name, CLEAN, seed, options=options, defaults=defaults, trusted=trusted)
        for name, options, defaults in (
            ("erm", {}, {}),
            ("focal", {}, {"gamma": 2.0}),
            ("focal", {"gamma": 3.0}, {"gamma": 2.0}),
        )
        for seed in board.seeds
    ]
    rows = {row.label: row for row in build(beside(board, written, records), records).rows}
    assert {label for label, row in rows.items() if row.is_control} == {"focal[gamma=3.0]"}
    assert (rows["focal[gamma=3.0]"].ranks, rows["focal[gamma=3.0]"].covered) == (None, 3)
    assert label_text(rows["focal[gamma=3.0]"]) == "focal[gamma=3.0] (control)"


def test_the_board_s_own_controls_are_taken_as_they_are():
    board = make_board(["erm"], controls=["focal[gamma=3]"], reference="erm")
    names = parse_selectors(["erm", "focal[gamma=3]"])
    entered = contestants(names, installed(), {})
    asked = dataclasses.replace(board, weighters=names)
    ranked, controls = _told_apart(Request(asked, board, None), installed(), {})
    assert (ranked, controls) == (entered, entered[1:])
    with pytest.raises(UsageError, match="is a control of the board demo and one of its weighters"):
        _with_labels(board, ranked[0], ranked, controls)


@pytest.mark.parametrize("text", ["focal[gamma=1]", "benchbase_baselines:focal[gamma=1]"])
def test_the_reference_is_named_as_its_record_however_it_was_typed(text):
    board = make_board(["erm", text], reference=text)
    ranked = contestants(board.weighters, installed(), {})
    named = _with_labels(
        board, _one(board, "reference", board.reference, installed(), {}), ranked, ()
    )
    assert named.reference == parse_selector("focal[gamma=1.0]")
    assert named.weighters == parse_selectors(["erm", "focal[gamma=1.0]"])


def test_a_file_of_several_methods_is_no_reference(tmp_path):
    path = tmp_path / "two.py"
    path.write_text(TWO)
    board = make_board(reference=str(path))
    with pytest.raises(UsageError, match=r"the reference '.*two.py' .* means one, other: name one"):
        _one(board, "reference", board.reference, installed(), given(str(path)))
