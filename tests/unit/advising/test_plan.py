from __future__ import annotations

import pytest

from benchbase.advising.injected import Injected
from benchbase.advising.plan import (
    GIVEN,
    INJECTED,
    LEAST_STEPS,
    MOST_EPOCHS,
    RIGHT,
    recipe_of,
    scenarios_of,
    usable,
)
from benchbase.cell import Recipe, Scenario
from benchbase.plugins import Entry, Source


def entry(name, *needs, summary=""):
    source = Source("installed", "module", "dist 1")
    return Entry("weighters", name, source, "dist", "1", (), summary, "source", needs=needs)


@pytest.mark.parametrize("images", [10, 60, 1000, 3800, 100_000])
def test_nothing_is_compared_below_the_least_steps(images):
    recipe = recipe_of(Recipe(epochs=6), images)
    assert recipe.epochs * recipe.steps_of_an_epoch(images) >= LEAST_STEPS
    assert 10 <= recipe.epochs <= MOST_EPOCHS


def test_an_epoch_is_a_pass_over_the_images_where_these_are_enough():
    assert recipe_of(Recipe(epochs=6), 3800) == Recipe(epochs=14)


def test_methods_that_need_less_come_first_and_controls_not_at_all():
    methods = [
        entry("two", "own network"),
        entry("meta", "trusted"),
        entry("knows", "truth"),
        entry("random", summary="Control: weights drawn at random."),
        entry("plain"),
    ]
    assert [it.name for it in usable(methods, frozenset())] == ["plain", "two"]
    assert [it.name for it in usable(methods, frozenset({"trusted"}))] == ["plain", "meta", "two"]


def test_injected_noise_and_right_labels_differ_in_the_noise_alone():
    given = Scenario(dataset="csv", dataset_options={"path": "a.csv"}, track="TV")
    found = scenarios_of(given, Injected({"path": "b.npz"}, "noise.csv"))
    assert found[GIVEN] == given
    assert found[INJECTED].noise_options == {"file": "noise.csv"}
    assert (found[RIGHT].noise, found[RIGHT].dataset_options) == ("none", {"path": "b.npz"})
    assert found[INJECTED].track == found[RIGHT].track == "TV"
    assert scenarios_of(given, None) == {GIVEN: given}
