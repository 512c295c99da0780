from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from scipy import stats as scipy_stats

from benchbase.errors import StoreError
from benchbase.leaderboard import build, render_csv, render_json, render_markdown
from benchbase.records.committed import slim
from benchbase.records.record import Score, record_text
from benchbase.records.validation import parse_record
from tests.unit.made_records import (
    NOISY,
    changed,
    make_board,
    make_record,
    make_records,
    make_scenario,
)

THREE = {"plain": 0.7, "clever": 0.8, "poor": 0.5}


def rows_of(board, records):
    return {row.label: row for row in build(board, records).rows}


def test_the_score_is_the_mean_over_scenarios_then_seeds_with_a_t_interval():
    board = make_board(weighters=["plain"], seeds=3)
    clean, noisy = [0.9, 0.8, 0.85], [0.6, 0.7, 0.5]
    records = [
        make_record(scenario=scenario, seed=seed, score=scores[seed])
        for scenario, scores in zip(board.scenarios, (clean, noisy), strict=True)
        for seed in board.seeds
    ]
    row = rows_of(board, records)["plain"]
    means = [(a + b) / 2 for a, b in zip(clean, noisy, strict=True)]
    interval = scipy_stats.t.interval(0.95, 2, loc=sum(means) / 3, scale=scipy_stats.sem(means))
    assert row.score is not None
    assert (row.score.mean, row.score.low, row.score.high) == pytest.approx(
        (sum(means) / 3, *interval)
    )
    assert row.scenarios[1].score.mean == pytest.approx(0.6)


def test_scenarios_that_are_not_identifiable_are_shown_and_count_nowhere():
    board = make_board(seeds=3)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    for at, record in enumerate(records):
        if record.spec.scenario == NOISY:
            records[at] = changed(record, "corruption", identifiable=False)
            record.metrics["tail"]["balanced_accuracy"] = Score(value=0.1)
    table = build(board, records)
    row = next(row for row in table.rows if row.label == "clever")
    assert table.not_identifiable == {1}
    assert row.score.mean == pytest.approx(0.81, abs=0.005)
    assert row.scenarios[1].score.mean == pytest.approx(0.1)
    assert "‡ Not identifiable: symmetric 0.4, 1:1" in render_markdown(table)


def test_a_board_of_nothing_but_unidentifiable_scenarios_ranks_nobody():
    board = make_board(scenarios=[make_scenario(0.9)])
    found = rows_of(board, make_records(board, {"plain": 0.7}, identifiable=False))
    assert found["plain"].standing == "no scenario that can be ranked"
    assert found["plain"].score is None


def test_cost_is_against_the_reference_over_cells_that_both_finished():
    board = make_board(seeds=2, scenarios=[make_scenario()])
    records = [
        make_record(seed=0, seconds=10.0),
        make_record(seed=1, seconds=99.0, status="error"),
        make_record("clever", seed=0, seconds=25.0),
        make_record("clever", seed=1, seconds=30.0),
    ]
    cost = rows_of(board, records)["clever"].cost
    assert cost.relative_seconds == pytest.approx(2.5)
    assert cost.judge_share == pytest.approx(2 / 59)
    assert cost.seconds_train == pytest.approx(27.5)
    assert cost.peak_memory_bytes == 300 * 2**20
    records[2] = changed(records[2], "cost", device="cuda")
    assert rows_of(board, records)["clever"].cost.relative_seconds is None


def test_one_slow_cell_does_not_move_the_train_time():
    board = make_board(seeds=5, scenarios=[make_scenario()])
    records = [make_record(seed=seed, seconds=90.0 if seed == 0 else 10.0) for seed in range(5)]
    records += [make_record("clever", seed=seed, seconds=20.0) for seed in range(5)]
    found = rows_of(board, records)
    assert found["clever"].cost.relative_seconds == 2
    assert found["plain"].cost.seconds_train == 10


def test_a_row_says_what_it_was_granted_and_how_honest_it_is():
    board = make_board(seeds=2, scenarios=[make_scenario()])
    records = [
        make_record("clever", seed=0, grants={"trusted": "clean"}, auroc=0.9, honesty="matched"),
        make_record("clever", seed=1, grants={"trusted": "noisy"}, auroc=0.8, honesty="matched"),
    ]
    row = rows_of(board, records)["clever"]
    assert row.needs == {"trusted": "clean, noisy"}
    assert row.honesty == "matched"
    assert row.weight_auroc == pytest.approx(0.85)
    assert row.oracle_gap == pytest.approx(0.01)
    assert row.versions["torch"] == "2.15"
    assert "recall_per_class" not in row.metrics


def test_the_oracle_gap_and_the_rules_are_of_the_board_s_own_metric():
    aurocs = {
        "tail": 0.6,
        "last": 0.61,
        "last5": 0.62,
        "val_noisy": 0.63,
        "val_clean": 0.64,
        "oracle": 0.7,
    }
    records = [
        replace(
            record,
            metrics={
                rule: {**scores, "macro_auroc": Score(value=aurocs[rule])}
                for rule, scores in record.metrics.items()
            },
        )
        for record in make_records(make_board(seeds=2), THREE)
    ]
    row = rows_of(make_board(seeds=2, metric="macro_auroc"), records)["clever"]
    assert row.rules == pytest.approx(aurocs)
    assert row.oracle_gap == pytest.approx(0.1)
    assert row.score.mean == pytest.approx(0.6)


def test_the_same_records_give_the_same_bytes_in_any_order_and_slim():
    board = make_board(weighters=[*THREE, "fragile"])
    records = make_records(board, {**THREE, "fragile": 1 / 3})
    records[-1] = replace(records[-1], status="oom", metrics={}, selected={})

    def texts(some):
        table = build(board, some)
        return render_markdown(table), render_csv(table), render_json(table)

    expected = texts(records)
    shuffler = random.Random(1)
    for _ in range(3):
        shuffler.shuffle(records)
        assert texts([parse_record(record_text(slim(record))) for record in records]) == expected


def test_one_record_alone_cannot_remove_a_scenario():
    board = make_board(seeds=3)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    liar = next(at for at, r in enumerate(records) if r.spec.scenario == NOISY)
    records[liar] = changed(records[liar], "corruption", identifiable=False)
    with pytest.raises(StoreError, match=r"'symmetric 0.4, 1:1' at seed 0: records on the same"):
        build(board, records)


def test_untrusted_records_remove_a_scenario_only_where_there_are_no_others():
    board = make_board(seeds=3)
    inline = make_records(board, {"plain": 0.7}, identifiable=False, trusted=False)
    assert build(board, inline).not_identifiable == {0, 1}
    trusted = make_records(board, {"clever": 0.7})
    assert build(board, [*inline, *trusted]).not_identifiable == frozenset()


def test_rules_and_metrics_are_of_the_seeds_that_the_score_is_of():
    board = make_board(weighters=["plain"], seeds=3)
    records = [
        make_record(scenario=scenario, seed=seed, score=0.5 if seed < 2 else 0.9)
        for scenario in board.scenarios
        for seed in board.seeds
    ][:-1]
    row = rows_of(board, records)["plain"]
    assert row.score.mean == row.rules["tail"] == row.metrics["macro_f1"] == 0.5
    assert row.last_epoch == 0.5


def test_equal_weights_have_no_auroc():
    board = make_board(weighters=["plain"], seeds=1, scenarios=[make_scenario()])
    record = make_record(auroc=0.5)
    record = changed(record, "weights", effective_sample_size=1.0)
    assert rows_of(board, [record])["plain"].weight_auroc is None
    record = changed(record, "weights", effective_sample_size=0.9)
    assert rows_of(board, [record])["plain"].weight_auroc == 0.5


@pytest.mark.parametrize("text", ["plain[gain=1]", "demo_plugin:plain[gain=1]"])
def test_a_reference_is_found_by_what_it_means_not_by_how_it_was_typed(text):
    board = make_board(weighters=["clever", text], reference=text)
    records = [
        make_record(name, scenario, seed, score + 0.01 * seed, options=options)
        for name, score, options in (("clever", 0.8, {}), ("plain", 0.7, {"gain": 1.0}))
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    table = build(board, records)
    assert table.reference is not None
    assert table.reference.label.endswith("plain[gain=1.0]")
    [clever] = [row for row in table.rows if row.name == "clever"]
    assert clever.difference is not None
    assert clever.difference.mean == pytest.approx(0.1)
    assert clever.cost.relative_seconds == 1
    assert clever.p is not None
