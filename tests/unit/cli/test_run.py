from __future__ import annotations

import pytest

from benchbase.cli.run import _beside, _with_labels
from benchbase.errors import UsageError
from benchbase.plan import Contestant
from tests.unit.jobs import make_job
from tests.unit.records import make_board, make_record


def entered(*names: str) -> list[Contestant]:
    jobs = [make_job(name) for name in names]
    return [Contestant(job.cell.weighter, job.source, job.description) for job in jobs]


def test_rows_and_controls_are_named_as_their_records_will_be():
    board = make_board(["./plain.py"], controls=["./yardstick.py"])
    named = _with_labels(board, entered("plain", "clever"), entered("yardstick"))
    assert (named.weighters, named.controls) == (("plain", "clever"), ("yardstick",))


def test_what_is_ranked_is_no_control():
    board = make_board(["plain"], controls=["clever[gain=1]"])
    with pytest.raises(UsageError, match="'clever' is a control of the board demo and one of its"):
        _with_labels(board, entered("plain", "clever"), entered("clever"))


def test_a_method_of_one_s_own_stands_beside_the_board_s_rows_and_controls():
    written = make_board(["plain", "clever", "late"], controls=["yardstick", "later"])
    asked = make_board(["mine", "plain"])
    records = [make_record(name) for name in ("mine", "plain", "clever", "yardstick")]
    board, _ = _beside(asked, written, records)
    assert board.weighters == ("mine", "plain", "clever")
    assert board.controls == ("yardstick",)
