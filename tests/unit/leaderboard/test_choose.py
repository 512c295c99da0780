from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.rows import build
from tests.unit.made_records import (
    make_board,
    make_record,
    make_records,
    make_scenario,
    under_secret,
)

OLD, NEW = "20260101T000000.000000Z-0", "20260202T000000.000000Z-0"


def chosen(board, records):
    return {entry.label: entry for entry in choose(board, records)}


def shown(entry):
    """Give an entry's records in the order of ``make_records``."""
    return [record for _, record in sorted(entry.cells.items(), key=lambda item: item[0])]


def test_every_method_of_the_board_has_an_entry_even_without_records():
    board = make_board(weighters=["plain", "clever[gain=1,2]"], reference="base")
    found = choose(board, [])
    assert [entry.label for entry in found] == [
        "plain",
        "clever[gain=1]",
        "clever[gain=2]",
        "base",
    ]
    assert all(not entry.cells for entry in found)


def test_records_of_other_boards_are_ignored():
    board = make_board(seeds=2)
    foreign = [
        make_record("other"),
        make_record(seed=9),
        make_record(scenario=make_scenario(0.2)),
        make_record(options={"gain": 2.0}),
    ]
    assert all(not entry.cells for entry in choose(board, foreign))


def test_a_grid_of_options_has_a_row_for_each_value():
    board = make_board(weighters=["plain", "clever[gain=1,2.5,on=true]"], seeds=1)
    records = [
        make_record("clever", options={"gain": 1, "on": True}),
        make_record("clever", options={"gain": 2.5, "on": True}),
        make_record("clever", options={"gain": 3, "on": True}),
    ]
    found = chosen(board, records)
    assert list(found) == ["plain", "clever[gain=1,on=True]", "clever[gain=2.5,on=True]"]
    assert found["clever[gain=1,on=True]"].cells == {(0, 0): records[0]}


def test_a_setting_that_equals_its_default_finds_the_bare_record():
    board = make_board(weighters=["plain", "clever[gain=1,2]"], seeds=1)
    records = [
        make_record("clever", options=options, defaults={"gain": 1.0, "on": False})
        for options in ({}, {"gain": 2.0})
    ]
    found = chosen(board, records)
    assert found["clever"].cells == {(0, 0): records[0]}
    assert found["clever[gain=2.0]"].cells == {(0, 0): records[1]}
    found = chosen(make_board(weighters=["clever[gain=3]"], reference="clever", seeds=1), records)
    assert found["clever[gain=3]"].cells == {}, "not run is not the same as the default"


@pytest.mark.parametrize("text", ["clever[gain=1]", "clever[gain=1.0,on=false]", "My.Own:clever"])
def test_the_reference_is_found_however_it_is_spelt(text):
    board = make_board(weighters=["plain", "clever", text], reference=text, seeds=2)
    records = make_records(board, {"plain": 0.7})
    more = {"distribution": "my-own", "defaults": {"gain": 1.0, "on": False}}
    records += make_records(board, {"clever": 0.8}, **more)
    table = build(board, records)
    assert [row.covered for row in table.rows] == [4, 4]
    assert table.reference.label == table.reference_label
    assert table.reference.name == "clever"
    [difference] = [row.difference for row in table.rows if row.name == "plain"]
    assert difference is not None


def test_text_and_missing_options_are_compared_as_typed():
    board = make_board(weighters=["plain", "clever[mode=fast,limit=none]"], seeds=1)
    record = make_record("clever", options={"mode": "fast", "limit": None})
    assert chosen(board, [record])["clever[limit=None,mode=fast]"].cells == {(0, 0): record}


def test_a_distribution_in_front_of_the_name_picks_its_weighter():
    board = make_board(weighters=["plain", "mine:clever"], seeds=1)
    records = [
        make_record("clever", distribution="theirs", source="s1"),
        make_record("clever", distribution="mine", source="s2"),
    ]
    assert chosen(board, records)["mine:clever"].cells == {(0, 0): records[1]}


def test_the_first_ok_attempt_counts():
    records = [
        make_record(attempt="1", status="oom"),
        make_record(attempt="2", score=0.6),
        make_record(attempt="3", score=0.9),
    ]
    board = make_board(weighters=["plain"], seeds=1)
    assert chosen(board, records)["plain"].cells == {(0, 0): records[1]}


def test_killed_attempts_are_not_run_cells():
    board = make_board(weighters=["plain"], seeds=1)
    assert chosen(board, [make_record(status="killed")])["plain"].cells == {}


def test_a_row_shows_one_version_of_the_code_the_one_that_covers_most():
    board = make_board(weighters=["plain"], seeds=3)
    old = make_records(board, {"plain": 0.7}, source="old", attempt=OLD)
    new = make_records(board, {"plain": 0.9}, source="new", attempt=NEW)
    complete = chosen(board, [*old, *new])["plain"]
    assert {r.spec.weighter.source for r in complete.cells.values()} == {"new"}
    partial = chosen(board, [*old, *new[1:]])["plain"]
    assert {r.spec.weighter.source for r in partial.cells.values()} == {"old"}
    assert len(partial.cells) == 6


def test_versions_of_torch_are_not_mixed_in_a_row():
    board = make_board(weighters=["plain"], seeds=2)
    records = make_records(board, {"plain": 0.7}, torch="2.15")
    records += make_records(board, {"plain": 0.7}, torch="2.16", attempt=NEW)[:-1]
    row = chosen(board, records)["plain"]
    assert {record.spec.torch for record in row.cells.values()} == {"2.15"}


def test_all_methods_of_a_cell_are_compared_on_the_same_data():
    board = make_board(weighters=["plain", "clever", "late"], seeds=1)
    old = make_records(board, {"plain": 0.7, "clever": 0.8}, data="old", attempt=OLD)
    new = make_records(board, {"late": 0.9}, data="new", attempt=NEW)
    found = chosen(board, [*old, *new])
    assert len(found["plain"].cells) == len(found["clever"].cells) == 2
    assert found["late"].cells == {}
    redone = make_records(board, {"plain": 0.7, "clever": 0.8}, data="new", attempt=NEW)
    found = chosen(board, [*old, *new, *redone])
    assert all(len(entry.cells) == 2 for entry in found.values())
    hashes = {r.spec.data.labels_hash for e in found.values() for r in e.cells.values()}
    assert hashes == {"new"}


def test_inline_records_are_shown_only_where_there_is_nothing_better():
    board = make_board(weighters=["plain", "clever"], seeds=2)
    inline = make_records(board, {"plain": 0.9, "clever": 0.9}, trusted=False, attempt=OLD)
    proper = make_records(board, {"plain": 0.7}, attempt=NEW)[:1]
    found = chosen(board, [*inline, *proper])
    assert found["plain"].trusted
    assert list(found["plain"].cells.values()) == proper
    assert not found["clever"].trusted
    assert len(found["clever"].cells) == 4


def test_the_choice_does_not_depend_on_the_order_of_the_records():
    board = make_board(weighters=["plain", "clever[gain=1,2]"], seeds=3)
    records = [
        *make_records(board, {"plain": 0.7}, source="a"),
        *make_records(board, {"plain": 0.8}, source="b"),
        *make_records(board, {"clever": 0.8}, options={"gain": 1}, data="x"),
        *make_records(board, {"clever": 0.8}, data="y"),
    ]
    expected = choose(board, records)
    shuffler = random.Random(0)
    for _ in range(5):
        shuffler.shuffle(records)
        assert choose(board, records) == expected


def test_a_file_of_an_official_name_stands_in_a_row_of_its_own():
    board = make_board(weighters=["plain", "clever"], seeds=2)
    official = make_records(board, {"plain": 0.7, "clever": 0.8}, attempt=NEW)
    forged = make_records(board, {"plain": 0.1, "clever": 0.99}, distribution="file", attempt=OLD)
    found = chosen(board, [*official[:1], *official[4:], *forged])
    assert list(found) == ["plain", "file:plain", "clever", "file:clever"]
    assert shown(found["plain"]) == official[:1], "also where the file covers more"
    assert shown(found["clever"]) == official[4:]
    assert shown(found["file:clever"]) == forged[4:]


def test_a_file_has_the_bare_name_where_nobody_else_does():
    board = make_board(weighters=["plain"], seeds=2)
    records = make_records(board, {"plain": 0.7}, distribution="file")
    found = chosen(board, records)
    assert list(found) == ["plain"]
    assert shown(found["plain"]) == records


def test_of_two_distributions_the_one_with_more_cells_keeps_the_bare_name():
    board = make_board(weighters=["plain"], seeds=2)
    whole = make_records(board, {"plain": 0.7}, distribution="one", attempt=NEW)
    part = make_records(board, {"plain": 0.9}, distribution="another", attempt=OLD)[1:]
    found = chosen(board, [*part, *whole])
    assert list(found) == ["plain", "another:plain"]
    assert shown(found["plain"]) == whole
    later = make_records(board, {"plain": 0.9}, distribution="another", attempt=NEW + "1")
    assert shown(chosen(board, [*later, *whole])["plain"]) == whole


def test_records_stand_in_one_row_only():
    board = make_board(
        weighters=["plain", "one:plain", "two:plain"], reference="one:plain", seeds=1
    )
    records = make_records(board, {"plain": 0.7}, distribution="one")
    records += make_records(board, {"plain": 0.8}, distribution="two")
    records += make_records(board, {"plain": 0.9}, distribution="file")
    found = chosen(board, records)
    assert {label: len(entry.cells) for label, entry in found.items()} == {
        "file:plain": 2,
        "one:plain": 2,
        "two:plain": 2,
    }


def test_of_two_keys_in_one_place_the_first_ok_attempt_counts():
    board = make_board(weighters=["plain"], seeds=1)
    first, second = make_record(score=0.5, attempt=OLD), make_record(score=0.9, attempt=NEW)
    first, second = replace(first, key="f" * 64), replace(second, key="0" * 64)
    for records in ([first, second], [second, first]):
        assert chosen(board, records)["plain"].cells == {(0, 0): first}


def test_a_control_has_records_of_its_own_seeds_only():
    board = make_board(weighters=["plain"], controls=["clever"], seeds=5)
    found = chosen(board, make_records(board, {"plain": 0.7, "clever": 0.8}))
    assert {label: entry.control for label, entry in found.items()} == {
        "plain": False,
        "clever": True,
    }
    assert {seed for _, seed in found["plain"].cells} == {0, 1, 2, 3, 4}
    assert {seed for _, seed in found["clever"].cells} == {0, 1, 2}


def test_a_control_chooses_its_records_after_the_methods():
    board = make_board(weighters=["plain", "clever[gain=1]"], controls=["clever"], seeds=1)
    [record] = make_records(
        make_board(weighters=[], scenarios=[make_scenario()], seeds=1),
        {"clever": 0.8},
        defaults={"gain": 1.0},
    )
    found = chosen(board, [record])
    assert shown(found["clever"]) == [record]
    assert not found["clever"].control


def test_a_board_of_one_secret_admits_its_cells_only_and_no_other_board_does():
    public = [make_record(name) for name in ("plain", "clever")]
    hidden = [under_secret(record, "a" * 16) for record in public]
    foreign = [under_secret(record, "b" * 16) for record in public]
    for mark, own in (("", public), ("a" * 16, hidden)):
        board = make_board(seeds=1, noise_secret=mark)
        found = choose(board, [*foreign, *hidden, *public])
        assert [[*entry.cells.values()] for entry in found] == [[one] for one in own]
