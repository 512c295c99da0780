from __future__ import annotations

import msgspec
import pytest

from benchbase.leaderboard import board_files, build
from benchbase.leaderboard.evidence import Evidence, evidence_text
from benchbase.leaderboard.pages.notes import remarks
from benchbase.records.committed_predictions import attempt_name
from benchbase.records.replays import judge_replay
from tests.unit.made_records import CLEAN, make_board, make_record, make_records

RECORDS = [make_record(seed=seed) for seed in range(3)]
DAY = 86_400


def replayed(record, *, equal=True, by="anna", day=20_000):
    provenance = msgspec.structs.replace(record.provenance, finished=day * DAY)
    today = msgspec.structs.replace(record, provenance=provenance)
    return judge_replay(record, today, equal=equal, scores=(0.8, 0.8), tolerance=0.0, by=by)


def test_a_row_without_all_predictions_is_self_reported():
    names = [attempt_name(record) for record in RECORDS]
    assert evidence_text(RECORDS, Evidence()) == "self-reported"
    assert evidence_text(RECORDS, Evidence(frozenset(names[:2]))) == "self-reported"
    assert evidence_text(RECORDS, Evidence(frozenset(names))) == "recomputed"
    assert evidence_text([], Evidence()) == ""


def test_failed_cells_need_no_predictions():
    records = [RECORDS[0], make_record(seed=1, status="oom")]
    assert evidence_text(records, Evidence(frozenset([attempt_name(RECORDS[0])]))) == "recomputed"


def test_cells_that_what_is_kept_contradicts_are_counted():
    first, second, third = map(attempt_name, RECORDS)
    evidence = Evidence(frozenset([first]), frozenset([second, third]))
    assert evidence_text(RECORDS, evidence) == "self-reported, 2 cells NOT borne out when verified"


def test_replays_are_told_with_who_and_when():
    replays = (
        replayed(RECORDS[0]),
        replayed(RECORDS[0], by="ben", day=20_001),
        replayed(RECORDS[1], equal=False),
        replayed(make_record("other")),
    )
    assert evidence_text(RECORDS, Evidence(replays=replays)) == (
        "self-reported, 1 cell replayed by anna, ben (2024-10-05), "
        "1 cell NOT borne out when replayed by anna (2024-10-04)"
    )


def test_the_page_tells_it():
    board = make_board(["plain"], [CLEAN], seeds=3)
    page = board_files(board, RECORDS, Evidence(replays=(replayed(RECORDS[0]),)))["README.md"]
    assert "self-reported, 1 cell replayed by anna (2024-10-04)" in page


@pytest.mark.parametrize(("score", "told"), [(0.9, True), (0.8, False), (0.7, False)])
def test_another_s_reference_that_beats_ours_beyond_its_spread_is_told(score, told):
    board = make_board(["plain", "elsewhere:plain"], [CLEAN], seeds=5)
    theirs = make_records(board, {"plain": score}, distribution="elsewhere")
    table = build(board, [*make_records(board, {"plain": 0.8}), *theirs])
    line = "elsewhere:plain is too good to be true: it is plain in another's hands"
    assert any(each.startswith(line) for each in remarks(table)) is told


def test_another_method_may_be_as_good_as_it_is():
    board = make_board(["plain", "clever"], [CLEAN], seeds=5)
    table = build(board, make_records(board, {"plain": 0.7, "clever": 0.9}))
    assert table.too_good == []
