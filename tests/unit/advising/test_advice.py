from __future__ import annotations

import pytest

from benchbase.advising.advice import cut_to, paired
from tests.unit.made_records import make_board, make_record, make_scenario

CLEAN, NOISY = make_scenario(), make_scenario(0.4)
BOARD = make_board(["focal", "gce"], [NOISY, CLEAN], reference="erm")


def ran(**seeds):
    return [make_record(name, NOISY, seed) for name, many in seeds.items() for seed in range(many)]


def test_the_table_has_whoever_ran_the_least_seeds_at_those_that_all_of_them_ran():
    board = cut_to(BOARD, NOISY, ran(erm=5, focal=4, gce=2))
    assert board is not None
    assert [each.label for each in board.weighters] == ["focal"]
    assert board.seeds == (0, 1, 2, 3)
    assert board.scenarios == (NOISY,)


@pytest.mark.parametrize("seeds", [{"erm": 2, "focal": 5}, {"erm": 5, "focal": 2}, {"erm": 5}])
def test_without_a_pair_there_is_no_table(seeds):
    assert cut_to(BOARD, NOISY, ran(**seeds)) is None


def test_records_of_another_scenario_count_for_nothing():
    assert cut_to(BOARD, CLEAN, ran(erm=5, focal=5)) is None


def test_right_labels_are_paired_with_wrong_ones_by_seed_and_of_the_reference_alone():
    records = [make_record("erm", NOISY, seed, 0.5 + 0.1 * seed) for seed in range(3)]
    records += [make_record("erm", CLEAN, seed, 0.8 + 0.1 * seed) for seed in (1, 2, 3)]
    records += [make_record("focal", CLEAN, 0, 0.1)]
    assert paired(BOARD, records, CLEAN, NOISY) == pytest.approx([0.3, 0.3])
