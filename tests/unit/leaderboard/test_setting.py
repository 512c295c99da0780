"""What a table says of its data."""

from __future__ import annotations

import msgspec

from benchbase.leaderboard.pages.markdown import render_markdown
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.rows import build
from tests.unit.made_records import NOISY, changed, make_board, make_record, make_scenario


def table_of(*known: bool):
    board = make_board(scenarios=(NOISY,), seeds=len(known))
    return build(
        board,
        [make_record("plain", NOISY, seed, truth_known=it) for seed, it in enumerate(known)],
    )


def test_labels_as_given_are_told_on_the_terminal_on_the_page_and_to_programs():
    table = table_of(False, False, False)
    sentence = (
        "Labels of nuclei are as given, those of test too: how many are wrong is not known. Only "
        "labels that noise changed count as wrong here, and trusted images may be wrong as well."
    )
    assert sentence in list(remarks(table))
    assert sentence in render_markdown(table)
    assert table.to_json()["as_given"] == [sentence]


def test_labels_that_are_right_are_not_called_as_given():
    assert table_of(True, True, True).as_given == ()


def test_the_track_grants_trusted_images():
    assert "track T10: 10 trusted images a class" in table_of(True).setting


def test_real_noise_is_told_with_its_rate_and_nothing_is_called_as_given():
    real = make_scenario(noise="real")
    records = [
        changed(make_record("plain", real, seed), "corruption", realised_rate=rate)
        for seed, rate in enumerate((0.3119, 0.3342))
    ]
    table = build(make_board(scenarios=(real,), seeds=2), records)
    [told] = table.as_given
    assert told == (
        "Real noise of nuclei: methods see the labels that people gave, others count as true and "
        "judge. 31.2 to 33.4 % of the training labels differ, which no method is told."
    )
    assert table.scenario_labels == ("real noise, 1:1",)


def test_the_weights_that_a_network_started_from_are_told():
    board = make_board(scenarios=(NOISY,), seeds=1)
    record = make_record("plain", NOISY, 0)
    spec = msgspec.structs.replace(record.spec, backbone_source="version 1 + weights 1a2b")
    table = build(board, [msgspec.structs.replace(record, spec=spec)])
    assert f"network {NOISY.backbone} (weights 1a2b);" in table.setting
    assert f"network {NOISY.backbone};" in table_of(True).setting


def given_text(verified: bool, **options: str) -> str:
    scenario = make_scenario(dataset="csv", dataset_options={"path": "x.csv", **options})
    record = changed(
        make_record("plain", scenario, truth_known=False),
        "corruption",
        test_verified=verified,
        test_count=40,
    )
    [told] = build(make_board(scenarios=(scenario,), seeds=1), [record]).as_given
    return told


def test_without_verified_rows_no_method_that_needs_clean_labels_is_called_usable():
    told = given_text(False)
    assert "those of test too" in told
    assert "no method that needs clean labels is honestly usable on them before --trusted" in told


def test_verified_rows_that_judge_are_told():
    told = given_text(True, trusted_column="checked")
    assert told.startswith(
        "Labels of csv:x.csv[trusted_column=checked] are as given, but for the 40 of test, which "
        "are verified: how many are wrong is not known."
    )
    assert "honestly usable" not in told
    assert "those of test too" in given_text(False, trusted_column="checked")


def test_the_track_of_verified_images_is_told():
    board = make_board(scenarios=(make_scenario(track="TV"),), seeds=1)
    text = build(board, [make_record("plain", board.scenarios[0])]).setting
    assert "track TV: the training images that somebody verified" in text


def test_a_page_says_how_many_cells_ran_in_a_sandbox():
    records = [make_record("plain", NOISY, seed) for seed in range(2)]
    provenance = msgspec.structs.replace(records[0].provenance, sandbox="bwrap")
    inside = [msgspec.structs.replace(record, provenance=provenance) for record in records]
    board = make_board(scenarios=(NOISY,), seeds=2)
    assert build(board, inside).setting.endswith("; every cell in a sandbox (bwrap).")
    mixed = build(board, [inside[0], records[1]]).setting
    assert mixed.endswith("; 1 of 2 cells in a sandbox (bwrap).")
    assert "sandbox" not in build(board, records).setting
