"""The words for noise, imbalance, seeds and tracks, both ways."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchbase.boards.conditions import (
    grid,
    parse_imbalance,
    parse_noise,
    parse_seeds,
    parse_track,
    scenario_text,
    write_imbalance,
    write_noise,
)
from benchbase.boards.selectors import Selector
from benchbase.cell import Scenario
from benchbase.errors import UsageError


def rate(kind: str, value: float) -> Selector:
    return Selector(kind, (("rate", value),))


def ratio(kind: str, value: float) -> Selector:
    return Selector(kind, (("ratio", value),))


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("none", [Selector("none")]),
        ("symmetric:0.4, pair:0.2", [rate("symmetric", 0.4), rate("pair", 0.2)]),
        ("symmetric[rate=0.4],pair[rate=0.2]", [rate("symmetric", 0.4), rate("pair", 0.2)]),
        ("pair[rate=0.1,0.2],pair:0.1", [rate("pair", 0.1), rate("pair", 0.2)]),
        ("instance:1", [rate("instance", 1.0)]),
        ("matrix:some/file.csv", [Selector("matrix", (("file", "some/file.csv"),))]),
        ('matrix:"a, b.csv"', [Selector("matrix", (("file", "a, b.csv"),))]),
        ("my_own:real[year=2020]", [Selector("real", (("year", 2020),), "my-own")]),
    ],
)
def test_noise_is_read_from_text(text, choices):
    assert list(parse_noise(text)) == choices


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("symmetric:much", "expected kind:rate"),
        ("symmetric:", "expected kind:rate"),
        ("symmetric:nan", "expected kind:rate"),
        (":0.3", "expected kind:rate"),
        ("none,,", "an item is empty"),
        ("pair[0.3]", "expected option=value"),
    ],
)
def test_wrong_noise_is_a_usage_error_that_says_what_was_expected(text, says):
    with pytest.raises(UsageError, match=says):
        parse_noise(text)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("1,10", [ratio("exponential", 1), ratio("exponential", 10)]),
        ("exponential:50", [ratio("exponential", 50)]),
        ("1:10,exponential[ratio=10.0]", [ratio("exponential", 10)]),
        ("step:20", [ratio("step", 20)]),
        ("natural", [Selector("natural")]),
        ("none", [Selector("natural")]),
    ],
)
def test_imbalance_is_read_from_text(text, choices):
    assert list(parse_imbalance(text)) == choices


@pytest.mark.parametrize("text", ["step:", ":3", "step:few", "1:", "1:x", ""])
def test_wrong_imbalance_is_a_usage_error(text):
    with pytest.raises(UsageError, match="imbalance"):
        parse_imbalance(text)


KINDS = st.sampled_from(["none", "matrix", "symmetric", "exponential", "step", "my-own:kind"])
NAMES = st.sampled_from(["rate", "ratio", "file", "b"])
VALUES = st.none() | st.booleans() | st.integers(0, 99) | st.floats(0, 1) | st.text(max_size=5)


@given(KINDS, st.dictionaries(NAMES, VALUES, max_size=2))
def test_noise_and_imbalance_are_read_as_they_were_written(kind, options):
    assume(options or ":" not in kind)  # which would be an abbreviation
    scenario = Scenario(noise=kind, noise_options=options)
    assert grid(Scenario(), parse_noise(write_noise(kind, options))) == (scenario,)
    if kind != "none":
        scenario = Scenario(imbalance=kind, imbalance_options=options)
        read = parse_imbalance(write_imbalance(kind, options))
        assert grid(Scenario(), imbalances=read) == (scenario,)


@pytest.mark.parametrize(
    ("text", "seeds"), [("5", (0, 1, 2, 3, 4)), ("0,3,7", (0, 3, 7)), ("3,", (3,)), ("0,", (0,))]
)
def test_seeds_are_a_count_or_a_list(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "1,1", "a", "", "1.5", "1,,2"])
def test_wrong_seeds_are_a_usage_error(text):
    with pytest.raises(UsageError, match="seeds"):
        parse_seeds(text)


def test_tracks_are_named_by_the_clean_labels_they_grant():
    assert [parse_track(text) for text in ("T0", "t5", "T10", "TM")] == ["T0", "T5", "T10", "TM"]
    for wrong in ("5", "T", "T05", "TX", ""):
        with pytest.raises(UsageError, match="expected T0"):
            parse_track(wrong)


def test_a_grid_holds_every_combination_once():
    scenarios = grid(Scenario(), parse_noise("none,pair:0.1,none"), parse_imbalance("1,natural"))
    assert [scenario_text(scenario) for scenario in scenarios] == [
        "none 1:1",
        "none natural",
        "pair:0.1 1:1",
        "pair:0.1 natural",
    ]


def test_a_whole_number_has_one_spelling_in_a_scenario():
    whole, spelt = (
        Scenario(noise="pair", noise_options={"rate": value}, backbone_options={"width": value})
        for value in (1, 1.0)
    )
    assert repr(whole) == repr(spelt)


def test_labels_as_corrected_are_told_from_those_as_they_were():
    corrected = Scenario(dataset="csv", dataset_options={"labels_file": "checked.csv"})
    assert scenario_text(corrected) == "none natural labels as corrected"
