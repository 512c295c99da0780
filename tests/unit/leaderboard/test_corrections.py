"""What a correction of labels brought, in words, on made-up records."""

from __future__ import annotations

import dataclasses

import pytest

from benchbase.leaderboard.rows import build
from benchbase.leaderboard.words import verdict
from tests.unit.made_records import CORRUPTION, make_board, make_record, make_scenario

BEFORE = make_scenario(dataset="csv", dataset_options={"path": "mine.csv"})
AFTER = dataclasses.replace(
    BEFORE, dataset_options={"path": "mine.csv", "labels_file": "checked/corrected.csv"}
)
WOBBLE = (0.0, 0.002, -0.002)


def said(gains, *, verified=False, noise=None, scenarios=(BEFORE, AFTER)):
    scenarios = [dataclasses.replace(it, noise=noise) if noise else it for it in scenarios]
    board = make_board([*gains], scenarios, seeds=3, reference="erm")
    corruption = {**CORRUPTION, "identifiable": True, "test_verified": verified}
    records = [
        make_record(name, scenario, seed, 0.7 + gain * index + wobble, corruption=corruption)
        for name, gain in gains.items()
        for index, scenario in enumerate(scenarios)
        for seed, wobble in enumerate(WOBBLE if index else WOBBLE[::-1])
    ]
    return build(board, records)


def test_gains_and_losses_are_told_paired_by_seed_and_what_cannot_be_told_is_said():
    text = "\n".join(said({"erm": 0.1, "focal": -0.1, "gce": 0.0}).corrections)
    assert "The correction of corrected.csv (against labels as given, 3 seeds, paired): " in text
    assert "raised erm (10.0 points (95 %" in text
    assert "lowered focal (10.0 points (95 %" in text
    assert "no evidence of a difference for gce (+0.0 points)" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "test labels as given, which nobody verified"),
        ({"verified": True}, "test labels that somebody verified"),
        ({"noise": "real"}, "labels that count as true"),
    ],
    ids=["given", "verified", "true"],
)
def test_what_judges_the_correction_is_said(fields, words):
    assert words in said({"erm": 0.1}, **fields).corrections[1]


def test_both_are_the_same_data_set_and_have_names_of_their_own():
    table = said({"erm": 0.1, "focal": 0.2})
    assert table.blocks == "seeds"
    assert table.scenario_labels == ("labels as given, 1:1", "labels as corrected, 1:1")
    assert verdict(table)[: len(table.corrections)] == list(table.corrections)
    assert len({recalls.title for recalls in table.class_recalls}) == len(table.class_recalls)


def test_without_the_labels_as_they_were_nothing_is_told():
    assert said({"erm": 0.1}, scenarios=(AFTER,)).corrections == ()
