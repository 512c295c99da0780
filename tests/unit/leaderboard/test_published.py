"""Published numbers beside a board's."""

import dataclasses

import msgspec

from benchbase.judging.scales import SCALES
from benchbase.leaderboard.cells import RULE_NAMES
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.published import (
    PublishedRow,
    PublishedSource,
    Setting,
    comparisons,
    differences,
    read_published,
)
from tests.unit.made_records import make_board, make_records, make_scenario

SCENARIO = make_scenario(0.4)
SAME = Setting(
    dataset=SCENARIO.data,
    metric="accuracy",
    noise="symmetric:0.4",
    imbalance="1:1",
    backbone="small_cnn",
    epochs=SCENARIO.recipe.epochs,
    rule="tail",
)


def compared(value, spread=None, setting=SAME, **changes):
    board = make_board(["plain"], scenarios=[SCENARIO], **changes)
    records = make_records(board, {"plain": 0.7})
    rows = (PublishedRow("plain", "Plain", value, spread), PublishedRow("absent", "Absent", 1.0))
    [found] = comparisons(
        board, choose(board, records), [PublishedSource("paper", "doi", rows, setting)]
    )
    return found


def test_a_value_within_both_spreads_is_within():
    own = compared(70.0).own
    half = own.high - own.mean
    assert compared(own.mean + 0.9 * half).verdict == "within"
    assert compared(own.mean + half + 1.0).verdict == "below"
    assert compared(own.mean + half + 1.0, spread=1.0).verdict == "within"
    assert compared(own.mean - half - 1.0).verdict == "above"


def test_every_difference_of_the_settings_is_a_reason():
    other = msgspec.structs.replace(SAME, backbone="resnet32", epochs=None, rule=None)
    found = compared(70.0, setting=other)
    assert found.own is None
    assert found.verdict == (
        "not comparable: network resnet32, here small_cnn; epochs not stated, here 10; "
        "rule of choice not stated"
    )
    longer = dataclasses.replace(SCENARIO, recipe=dataclasses.replace(SCENARIO.recipe, epochs=7))
    assert differences(SAME, longer) == ["epochs 10, here 7"]


def test_two_seeds_compare_with_nothing():
    assert compared(70.0, seeds=2).verdict == "not comparable: fewer than three seeds here"


def test_the_table_states_rules_and_metrics_that_there_are():
    sources = read_published()
    assert {source.setting.metric for source in sources} <= SCALES.keys()
    assert {source.setting.rule for source in sources} - {None} <= RULE_NAMES.keys()
    assert all(0 < row.value < 100 for source in sources for row in source.rows)
    assert sum(len(source.rows) for source in sources) == 22
