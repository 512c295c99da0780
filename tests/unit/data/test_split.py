"""Splitting: who gets which image, in what numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbase.cell import Scenario
from benchbase.data.contract import Part
from benchbase.data.imbalance import Natural
from benchbase.data.split import split
from benchbase.errors import UsageError
from tests.unit.data.conftest import TRACKS, MakeStamps, Open, pixel_rows, stamps_of


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("pools", [{}, {"validation": 90, "trusted": 60}])
def test_no_image_is_in_two_parts(
    open_stamps: Open, stamps: MakeStamps, track: str, pools: dict[str, int]
) -> None:
    opened = open_stamps(
        stamps(**pools),
        track=track,
        noise="symmetric:0.4",
        label_fraction=0.5,
    )
    parts = (opened.train, opened.trusted, opened.unlabelled, opened.validation, opened.test)
    images = stamps_of(*parts)
    assert len(set().union(*images)) == sum(len(part) for part in parts if part is not None)
    assert all(images)


def test_the_usual_split_has_the_sizes_worked_out_by_hand(open_stamps: Open) -> None:
    # 600 images: 5 trusted a class, a sixth for validation, the rest for training.
    opened = open_stamps(noise="symmetric:0.4")
    assert (len(opened.trusted), len(opened.validation), len(opened.train)) == (15, 100, 485)
    assert opened.corruption["trusted_per_class"] == [5, 5, 5]
    assert (opened.train.labels != opened.train_true).sum() == 194
    assert opened.corruption["realised_rate"] == pytest.approx(194 / 485)
    assert opened.corruption["validation_realised_rate"] == pytest.approx(0.4)
    assert opened.corruption["identifiable"] is True
    assert opened.corruption["test_count"] == 90


def test_imbalance_falls_on_true_classes_of_train_and_validation(open_stamps: Open) -> None:
    opened = open_stamps(
        noise="symmetric:0.4",
        imbalance="exponential:16",
    )
    # Train holds 161, 162 and 162 images, validation 34, 33 and 33: the first class sets the tail,
    # 34 / 4 = 8.5 rounds to even.
    assert opened.corruption["class_counts"] == [161, 40, 10]
    assert opened.corruption["validation_class_counts"] == [34, 8, 2]
    assert opened.test.labels.tolist() == [0, 1, 2] * 30


@pytest.mark.parametrize("kind", ["exponential", "step"])
def test_which_class_is_rare_is_drawn_for_each_seed_where_that_is_chosen(
    open_stamps: Open, kind: str
) -> None:
    given = open_stamps(imbalance=f"{kind}:16").corruption
    rare = set()
    for seed in range(12):
        opened = open_stamps(seed=seed, imbalance=f"{kind}[ratio=16,order=drawn]")
        told = opened.corruption
        for counts in ("class_counts", "validation_class_counts"):
            # The classes hold 161 to 162 images, which moves a count by one at most.
            assert sorted(told[counts]) == pytest.approx(sorted(given[counts]), abs=1)
        assert np.bincount(opened.train_true).tolist() == told["class_counts"]
        rare.add(int(np.argmin(told["class_counts"])))
        assert np.argmin(told["validation_class_counts"]) == np.argmin(told["class_counts"])
    assert rare == {0, 1, 2}


def test_a_drawn_order_is_that_of_the_seed_and_leaves_the_other_draws_alone(
    open_stamps: Open,
) -> None:
    drawn = "exponential[ratio=10,order=drawn]"
    one, again, noisy = (
        open_stamps(seed=3, imbalance=drawn, noise=noise)
        for noise in ("none", "none", "symmetric:0.4")
    )
    assert one.identity == again.identity
    assert one.identity.split_hash == noisy.identity.split_hash
    [trusted, plain] = stamps_of(one.trusted, open_stamps(seed=3).trusted)
    assert trusted == plain


def test_a_training_set_size_is_drawn_in_proportion_before_imbalance(
    open_stamps: Open,
) -> None:
    opened = open_stamps(train_size=90, imbalance="exponential:4")
    assert opened.corruption["class_counts"] == [30, 15, 8]
    # A drawn validation set keeps its proportion: a fifth of what is trained on.
    assert sum(open_stamps(train_size=90).corruption["validation_class_counts"]) == 18


def test_a_given_validation_part_is_used_whole(open_stamps: Open, stamps: MakeStamps) -> None:
    opened = open_stamps(stamps(validation=60), train_size=90)
    assert len(opened.validation) == 60
    assert sorted(pixel_rows(opened.validation)) == list(range(60))


def test_trusted_images_come_from_their_pool_where_there_is_one(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    opened = open_stamps(stamps(trusted=30, validation=60), track="T10")
    assert set(opened.trusted.pixels[:, 0, 0, 0]) == {4}
    assert len(opened.train) == 600


def test_track_tm_is_balanced_and_at_most_a_twentieth_of_train(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    # A twentieth of 600 is 30; of 200 it is 10, and 3 a class.
    assert open_stamps(track="TM").corruption["trusted_per_class"] == [10, 10, 10]
    small = open_stamps(track="TM", train_size=200)
    assert small.corruption["trusted_per_class"] == [3, 3, 3]
    large = open_stamps(stamps(train=24_000), track="TM")
    assert large.corruption["trusted_per_class"] == [333, 333, 333]


def test_a_longer_tail_keeps_some_of_the_same_images(open_stamps: Open) -> None:
    ten = open_stamps(imbalance="exponential:10")
    hundred = open_stamps(imbalance="exponential:100")
    [more, fewer] = stamps_of(ten.train, hundred.train)
    assert fewer < more


def test_a_class_keeps_five_labelled_images_or_all_where_it_has_fewer(open_stamps: Open) -> None:
    # 161 to 162 images a class: 2 of each would be a hundredth.
    opened = open_stamps(label_fraction=0.01)
    assert opened.corruption["class_counts"] == [5, 5, 5]
    assert opened.corruption["unlabelled_count"] == 485 - 15
    # 161, 16 and 1.61 images: the last class keeps both of its labels.
    rare = open_stamps(label_fraction=0.01, imbalance="exponential:100")
    assert rare.corruption["class_counts"] == [5, 5, 2]


def test_a_larger_label_fraction_keeps_the_labels_of_a_smaller_one(open_stamps: Open) -> None:
    few, more = (
        set(pixel_rows(open_stamps(label_fraction=fraction).train)) for fraction in (0.01, 0.1)
    )
    assert few < more


@pytest.mark.parametrize("track", ["T0", "T5"])
def test_a_group_is_not_in_train_and_validation(
    open_stamps: Open, stamps: MakeStamps, track: str
) -> None:
    opened = open_stamps(stamps(images_a_group=4), track=track)
    training = {row // 4 for part in (opened.train, opened.trusted) for row in pixel_rows(part)}
    validating = {row // 4 for row in pixel_rows(opened.validation)}
    assert not training & validating
    assert 96 <= len(opened.validation) <= 100


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"train_size": 486}, "train size 486: stamps can give 3 to 485 .* track T5"),
        ({"train_size": 0}, "train size 0: stamps can give 3 to 485"),
        ({"imbalance": "step:0.5"}, "float of at least 1, .* 0.5"),
        ({"imbalance": "step"}, "imbalance 'step' needs a ratio: write step:10"),
        (
            {"imbalance": "step:1e6"},
            "no training image of class 'c'",
        ),
        ({"noise": "pair:1.5"}, "float from 0 to 1, or none, got 1.5"),
        ({"noise": "pair[rate=nan]"}, "got 'nan'"),
        ({"noise": "pair"}, "noise 'pair' needs a rate: write pair:0.4"),
        ({"noise": "none[rate=0.4]"}, "unknown option 'rate'"),
        ({"label_fraction": 0.0}, "label fraction 0: expected more than 0 and at most 1"),
        ({"label_fraction": 1.1}, "label fraction 1.1"),
        ({"track": "T200"}, "track T200: stamps can give 0 to 199 trusted images a class"),
        ({"track": "T5x"}, "track 'T5x': expected T0 .* Tk .* TM"),
        ({"track": "TM", "train_size": 50}, "track TM: 1 in 20 of 50 .* T5"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(
    open_stamps: Open, fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        open_stamps(**fields)


def test_a_class_that_a_small_training_set_loses_is_blamed_on_its_size(
    stamps: MakeStamps, tmp_path: Path
) -> None:
    parts = stamps().load([], tmp_path)
    labels = np.where(np.arange(600) < 590, 0, np.where(np.arange(600) < 595, 1, 2))
    parts = dataclasses.replace(parts, train=Part(parts.train.pixels, labels))
    with pytest.raises(UsageError, match="train size 30 leaves no training image of class 'b'"):
        split(parts, Scenario(train_size=30, track="T0"), Natural(), 0)


@pytest.mark.parametrize("images_a_group", [0, 5])
def test_track_tv_grants_the_verified_training_images_and_nobody_trains_on_them(
    open_stamps: Open, stamps: MakeStamps, images_a_group: int
) -> None:
    data = stamps(verified=10, images_a_group=images_a_group)
    opened = open_stamps(data, track="TV", noise="symmetric:0.3")
    trusted = pixel_rows(opened.trusted)
    assert opened.trusted_labels == "verified"
    assert all(row % 10 == 0 for row in trusted)
    assert opened.trusted.labels.tolist() == [row % 3 for row in trusted]
    held = set(trusted) | set(pixel_rows(opened.train)) | set(pixel_rows(opened.validation))
    assert held == set(range(600))
    assert not set(trusted) & set(pixel_rows(opened.train))
    # A group that validates takes its verified images along; else all 60 are granted.
    assert len(trusted) == 60 if not images_a_group else 40 < len(trusted) < 60
    if images_a_group:
        sides = [{row // 5 for row in pixel_rows(part)} for part in (opened.train, opened.trusted)]
        assert not set.union(*sides) & {row // 5 for row in pixel_rows(opened.validation)}


def test_a_track_of_a_few_images_draws_them_from_the_verified_ones(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    opened = open_stamps(stamps(verified=10), track="T5")
    assert all(row % 10 == 0 for row in pixel_rows(opened.trusted))
    assert opened.corruption["trusted_per_class"] == [5, 5, 5]
    assert opened.trusted_labels == "verified"
    assert open_stamps(stamps(verified=10), track="T0").trusted_labels == "noisy"
    with pytest.raises(UsageError, match="can give 0 to 20 trusted images a class"):
        open_stamps(stamps(verified=10), track="T21")


def test_track_tv_without_enough_verified_images_is_refused(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    with pytest.raises(UsageError, match=r"nobody has verified labels of stamps.*--trusted"):
        open_stamps(track="TV")
    with pytest.raises(UsageError, match="class 'b', 0 training images are verified and 200 are"):
        open_stamps(stamps(verified=30), track="TV")
    with pytest.raises(UsageError, match="class 'a', 200 training images are verified and 0 are"):
        open_stamps(stamps(verified=1), track="TV")
