"""What is told of sample weights, over a row's cells."""

import pytest

from benchbase.leaderboard.weighing import weighing
from tests.unit.made_records import changed, make_record, make_scenario

CLASSES = ["cat", "dog"]


def weighed(seed=0, **values):
    record = make_record("clever", make_scenario(0.4), seed, auroc=0.9)
    return changed(changed(record, "corruption", classes=CLASSES), "weights", **values)


def test_nothing_is_told_where_no_weights_were_reported():
    assert weighing([make_record("plain", make_scenario(0.4), 0)]) is None


def test_figures_are_means_over_the_cells():
    found = weighing(
        [
            weighed(auroc=0.8, auroc_per_class=[0.6, 0.9], effective_sample_size=0.5),
            weighed(1, auroc=0.6, auroc_per_class=[0.8, None], effective_sample_size=0.7),
        ]
    )
    assert found.auroc == pytest.approx(0.7)
    assert found.auroc_by_class == pytest.approx({"cat": 0.7, "dog": 0.9}), "null is left out"
    assert found.effective_sample_size == pytest.approx(0.6)


def test_equal_weights_tell_nothing_of_labels_but_are_told():
    found = weighing([weighed(auroc=0.5, effective_sample_size=1.0, never_left_one=True)])
    assert found.auroc is None
    assert found.effective_sample_size == 1
    assert found.never_left_one


def test_weights_left_one_if_they_did_in_any_cell():
    found = weighing([weighed(never_left_one=True), weighed(1, never_left_one=False)])
    assert not found.never_left_one
    plain = make_record("plain", make_scenario(0.4), 0)
    assert not weighing([weighed(never_left_one=True), plain]).never_left_one
