from __future__ import annotations

import json

from benchbase.leaderboard import build, render_json, render_markdown
from benchbase.leaderboard.class_recalls import MOST_CLASSES, recall_tables
from benchbase.records.record import Record, Score
from tests.unit.made_records import changed, make_board, make_record, make_scenario

TAIL = make_scenario(ratio=10)
NOISY_TAIL = make_scenario(0.4, ratio=10)
FLAT = make_scenario()


def told(
    name: str, scenario=TAIL, seed: int = 0, *, counts=(100, 10), recalls=(0.9, 0.1), **fields
) -> Record:
    record = make_record(name, scenario, seed, **fields)
    for scores in record.metrics.values():
        scores["recall_per_class"] = Score(value=[*recalls])
    return changed(record, "corruption", classes=["common", "rare"], class_counts=[*counts])


def test_recalls_are_averaged_where_as_many_images_are_trained_on():
    board = make_board(["plain", "clever"], [TAIL, NOISY_TAIL, FLAT], seeds=2)
    records = [
        told("plain", recalls=(0.9, 0.1)),
        told("plain", seed=1, counts=(99, 11), recalls=(0.8, 0.2)),
        told("plain", NOISY_TAIL, recalls=(0.7, None)),
        told("plain", NOISY_TAIL, 1, status="oom"),
        told("plain", FLAT, counts=(50, 50), recalls=(0.5, 0.6)),
        told("clever", recalls=(0.85, 0.4)),
    ]
    tail, flat = recall_tables(build(board, records))
    assert tail.title == "nuclei, 1:10"
    assert tail.header == ("method", "common (99–100)", "rare (10–11)")
    assert {row[0]: row[1:] for row in tail.rows} == {
        "plain": ("80.0", "15.0"),
        "clever": ("85.0", "40.0"),
    }
    assert flat.title == "nuclei, 1:1"
    assert flat.rows == (("plain", "50.0", "60.0"),)


def test_where_the_order_is_drawn_places_in_the_long_tail_are_averaged():
    drawn = make_scenario(imbalance_options={"ratio": 10, "order": "drawn"})
    board = make_board(["plain"], [drawn], seeds=2)
    records = [
        told("plain", drawn, counts=(100, 10), recalls=(0.9, 0.1)),
        told("plain", drawn, 1, counts=(12, 101), recalls=(0.3, 0.8)),
    ]
    [group] = recall_tables(build(board, records))
    assert group.title == "nuclei, 1:10 (order drawn)"
    assert group.header == ("method", "most frequent (100–101)", "rarest (10–12)")
    assert group.rows == (("plain", "85.0", "20.0"),)


def test_the_page_and_its_data_show_them():
    board = make_board(["plain"], [TAIL], seeds=1)
    table = build(board, [told("plain")])
    page = render_markdown(table)
    assert "## Recall by class" in page
    assert "| method   | common (100)   | rare (10)   |" in page
    [found] = json.loads(render_json(table))["class_recalls"]
    assert found["recalls"] == {"plain": [0.9, 0.1]}
    assert found["training_images"] == [[100, 100], [10, 10]]


def test_of_very_many_classes_the_most_frequent_and_the_rarest_are_shown():
    board = make_board(["plain"], [TAIL], seeds=1)
    record = told("plain", counts=range(1000, 900, -1), recalls=[0.5] * 100)
    record = changed(record, "corruption", classes=[f"c{number}" for number in range(100)])
    [shown] = recall_tables(build(board, [record]))
    assert len(shown.header) == 1 + MOST_CLASSES
    assert (shown.header[1], shown.header[-1]) == ("c0 (1,000)", "c99 (901)")


def test_a_page_without_counts_has_no_such_section():
    assert "Recall by class" not in render_markdown(
        build(make_board(["plain"], [TAIL], seeds=1), [make_record("plain", TAIL)])
    )
