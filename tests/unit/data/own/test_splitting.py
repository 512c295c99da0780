"""A fifth of each class tests, whole groups, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.data.own.splitting import draw_test
from benchbase.errors import DataError

RNG = np.random.Generator(np.random.PCG64(0))


def test_without_groups_each_class_gives_a_fifth_and_at_least_one():
    labels = np.repeat([0, 1, 2], [100, 20, 2])
    chosen = draw_test(labels, None, "abc")
    assert np.bincount(labels[chosen]).tolist() == [20, 4, 1]
    assert (chosen == draw_test(labels, None, "abc")).all()


def test_whole_groups_are_chosen_in_the_classes_shares():
    sizes = RNG.integers(1, 6, 600)
    group_class = np.repeat([0, 1, 2], [500, 80, 20])
    groups = np.repeat(np.arange(600), sizes)
    labels = group_class[groups]
    chosen = draw_test(labels, groups, "abc")
    assert not set(groups[chosen]) & set(groups[~chosen])
    shares = np.bincount(labels[chosen]) / np.bincount(labels)
    assert (np.abs(shares - 0.2) < 0.03).all()


def test_groups_of_several_classes_are_shared_out_too():
    groups = np.repeat(np.arange(200), 10)
    labels = (RNG.random(2000) < 0.1).astype(np.int64)
    chosen = draw_test(labels, groups, "ab")
    assert not set(groups[chosen]) & set(groups[~chosen])
    shares = np.bincount(labels[chosen]) / np.bincount(labels)
    assert (np.abs(shares - 0.2) < 0.05).all()


def test_a_class_of_two_groups_stands_on_both_sides():
    labels = np.array([0] * 40 + [1] * 2)
    groups = np.concatenate([np.arange(40), [40, 41]])
    chosen = draw_test(labels, groups, "ab")
    assert chosen[40:].sum() == 1


def test_a_class_of_one_group_is_refused_by_name():
    labels = np.array([0] * 40 + [1] * 9)
    groups = np.concatenate([np.arange(40), np.full(9, 40)])
    with pytest.raises(DataError, match="all 9 images of the class 'rare' are of one group"):
        draw_test(labels, groups, ("many", "rare"))
