from __future__ import annotations

from benchbase.judging.clinical import board_metrics
from benchbase.leaderboard import build, render_markdown
from benchbase.records.record import Record, Score
from tests.unit.made_records import CLEAN, attempt_name, make_board, make_record


def told(name: str, version: str, number: int, seed: int = 0, metric: str = "luck") -> Record:
    record = make_record(name, seed=seed, attempt=attempt_name(number))
    record.metric_versions[metric] = version
    for scores in record.metrics.values():
        scores[metric] = Score(value=0.5)
    return record


def luck(records: list[Record]) -> dict[str, float | None]:
    board = make_board(["plain", "clever"], [CLEAN], seeds=2)
    return {row.label: row.metrics["luck"] for row in build(board, records).rows}


def test_a_column_holds_values_of_the_newest_version_only():
    both = [told("plain", "2", 8, seed) for seed in (0, 1)]
    assert luck([*both, *(told("clever", "2", 9, seed) for seed in (0, 1))]) == {
        "plain": 0.5,
        "clever": 0.5,
    }
    mixed = [told("clever", "1", 1), told("clever", "2", 9, 1)]
    assert luck([*both, *mixed]) == {"plain": 0.5, "clever": None}


def test_a_board_ranks_by_its_own_setting_of_a_metric():
    options = {"specificity": 0.95}
    board = make_board(["plain"], [CLEAN], 1, metric="sensitivity", metric_options=options)
    [asked] = board_metrics("sensitivity", options)
    [other] = board_metrics("sensitivity", {"specificity": 0.5})
    scores = {
        each.version: build(board, [told("plain", each.version, 1, metric="sensitivity")]).rows[0]
        for each in (asked, other)
    }
    assert scores[asked.version].score.mean == 0.5
    assert scores[other.version].score is None
    assert "undefined in 1 of 1 cells" in scores[other.version].standing


def test_the_page_says_why_a_metric_has_no_value():
    record = told("plain", "1", 1)
    for scores in record.metrics.values():
        scores["luck"] = Score(value=None, reason="it raised *KeyError*")
    page = render_markdown(build(make_board(["plain"], [CLEAN], seeds=1), [record]))
    assert r"No value: luck (it raised \*KeyError\*)." in page


def test_the_page_says_how_a_board_has_set_up_its_metric():
    costs = {"costs": [[0.0, 1.0], [5.5, 0.0]]}
    board = make_board(["plain"], [CLEAN], 1, metric="cost_avoided", metric_options=costs)
    assert "by true class, then by answer: 0, 1; 5.5, 0)" in render_markdown(build(board, []))
    board = make_board(["plain"], [CLEAN], 1, metric="sensitivity", metric_options={})
    page = render_markdown(build(board, []))
    assert "of the second class, where 90% of the first are left alone" in page
    assert "Chance level: 10.0 %" in page
