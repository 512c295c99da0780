"""Opening a scenario: which label each image shows, and what is told of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchbase.cell import Scenario
from benchbase.data.contract import Part
from benchbase.data.corruption import observe
from benchbase.data.imbalance import Natural
from benchbase.data.noise import SymmetricNoise
from benchbase.data.opening import channel_statistics
from benchbase.data.split import split
from tests.unit.data.conftest import TRACKS, MakeStamps, Open, pixel_rows, stamps_of


def same(one: Part, other: Part) -> bool:
    return bool(
        one.pixels.tobytes() == other.pixels.tobytes()
        and one.labels.tobytes() == other.labels.tobytes()
    )


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("noise", ["none", "symmetric:0.4", "pair:0.4", "instance:0.4"])
def test_true_labels_belong_to_their_images_and_noise_never_touches_test(
    open_stamps: Open, track: str, noise: str
) -> None:
    opened = open_stamps(track=track, noise=noise, label_fraction=0.5)
    assert opened.unlabelled is not None
    for part, true in (
        (opened.train, opened.train_true),
        (opened.validation, opened.validation_true),
        (opened.unlabelled, opened.unlabelled_true),
        (opened.test, opened.test.labels),
    ):
        assert true is not None
        assert [row % 3 for row in pixel_rows(part)] == true.tolist()
    if track != "T0":
        assert [row % 3 for row in pixel_rows(opened.trusted)] == opened.trusted.labels.tolist()


def test_the_manifest_says_what_was_realised(open_stamps: Open) -> None:
    opened = open_stamps(
        noise="pair:0.3",
        imbalance="exponential:4",
    )
    manifest = opened.corruption
    true, seen = opened.train_true, opened.train.labels
    for label in range(3):
        mine = seen[true == label]
        assert manifest["class_counts"][label] == len(mine)
        assert manifest["rate_per_class"][label] == pytest.approx((mine != label).mean())
        shares = [float((mine == other).mean()) for other in range(3)]
        assert manifest["transition"][label] == pytest.approx(shares)
        assert manifest["observed_counts"][label] == (seen == label).sum()
    assert manifest["classes"] == ["a", "b", "c"]


@pytest.mark.parametrize(("track", "count"), [("T1", 3), ("T5", 15), ("T20", 60)])
def test_a_track_grants_trusted_images_a_class(open_stamps: Open, track: str, count: int) -> None:
    opened = open_stamps(track=track, noise="symmetric:0.4")
    assert opened.trusted_labels == "clean"
    assert np.bincount(opened.trusted.labels).tolist() == [count // 3] * 3


@pytest.mark.parametrize(
    ("noise", "known", "expected"),
    [
        ("none", False, ("as given", None)),
        ("none", True, ("clean", 0.0)),
        ("symmetric:0.4", False, ("as given", 194 / 485)),
        ("symmetric:0.4", True, ("clean", 194 / 485)),
    ],
)
def test_labels_as_given_have_no_noise_rate_and_no_clean_images(
    open_stamps: Open,
    monkeypatch: pytest.MonkeyPatch,
    noise: str,
    known: bool,
    expected: tuple[str, float | None],
) -> None:
    monkeypatch.setattr("tests.unit.data.conftest.Stamps.truth_known", known)
    opened = open_stamps(noise=noise)
    assert (opened.trusted_labels, opened.noise_rate) == expected
    assert opened.identity.truth_known is known


def test_one_seed_gives_one_opening_and_another_gives_another(open_stamps: Open) -> None:
    first, again, other = (open_stamps(noise="symmetric:0.4", seed=seed) for seed in (0, 0, 1))
    assert first.identity == again.identity
    assert same(first.train, again.train)
    assert same(first.trusted, again.trusted)
    assert first.identity.split_hash != other.identity.split_hash
    assert first.identity.labels_hash != other.identity.labels_hash
    assert first.identity.fingerprint == other.identity.fingerprint


def test_noise_and_imbalance_leave_the_draws_before_them_alone(open_stamps: Open) -> None:
    plain = open_stamps()
    noisy = open_stamps(noise="symmetric:0.4")
    tailed = open_stamps(imbalance="exponential:10")
    assert noisy.identity.split_hash == plain.identity.split_hash
    assert noisy.identity.labels_hash != plain.identity.labels_hash
    assert noisy.train.pixels.tobytes() == plain.train.pixels.tobytes()
    [trusted, tailed_trusted] = stamps_of(plain.trusted, tailed.trusted)
    assert tailed_trusted == trusted
    [train, tailed_train] = stamps_of(plain.train, tailed.train)
    assert tailed_train < train


def test_the_place_of_a_training_row_does_not_tell_its_class(open_stamps: Open) -> None:
    opened = open_stamps(imbalance="exponential:2")
    rows = pixel_rows(opened.train)
    assert rows != sorted(rows)
    halves = np.array_split(opened.train_true, 2)
    frequent = [(half == 0).mean() for half in halves]
    assert frequent[0] == pytest.approx(frequent[1], abs=0.15)


def test_withheld_labels_are_minus_one_and_their_truth_is_apart(open_stamps: Open) -> None:
    opened = open_stamps(label_fraction=0.1, noise="symmetric:0.4")
    # 485 images, 161 or 162 a class: 16 of each keep their label.
    assert opened.corruption["class_counts"] == [16, 16, 16]
    assert opened.unlabelled is not None
    assert opened.unlabelled_true is not None
    assert (opened.unlabelled.labels == -1).all()
    assert len(opened.unlabelled) == len(opened.unlabelled_true) == 485 - 48
    assert not np.shares_memory(opened.unlabelled.labels, opened.unlabelled_true)
    assert open_stamps().unlabelled is None


@pytest.mark.parametrize("noise", ["symmetric:0.4", "pair:0.4", "instance:0.4"])
def test_an_image_shows_the_same_label_under_any_label_fraction(
    open_stamps: Open, noise: str
) -> None:
    few, more, every = (
        dict(zip(pixel_rows(opened.train), opened.train.labels.tolist(), strict=True))
        for fraction in (0.1, 0.5, None)
        for opened in [open_stamps(noise=noise, label_fraction=fraction)]
    )
    assert few.items() < more.items() < every.items()


@pytest.mark.parametrize("track", ["T0", "T5"])
def test_garbage_in_withheld_labels_changes_nothing_that_is_handed_out(
    stamps: MakeStamps, tmp_path: Path, track: str
) -> None:
    parts = stamps().load([], tmp_path)
    scenario = Scenario(label_fraction=0.3, track=track)
    drawn = split(parts, scenario, Natural(), 0)
    garbled = parts.train.labels.copy()
    garbled[drawn.unlabelled] = (garbled[drawn.unlabelled] + 1) % 3
    other = dataclasses.replace(parts, train=Part(parts.train.pixels, garbled))
    one, two = (observe(it, drawn, scenario, SymmetricNoise(0.4), 0) for it in (parts, other))
    for name in ("train", "validation", "trusted"):
        assert (getattr(one, name) == getattr(two, name)).all()
        assert (getattr(one.split, name) == getattr(two.split, name)).all()


def test_a_scenario_that_hides_the_truth_is_flagged(open_stamps: Open, stamps: MakeStamps) -> None:
    binary = open_stamps(stamps(classes=2), noise="symmetric:0.5")
    assert binary.corruption["identifiable"] is False
    assert open_stamps(noise="symmetric:0.6").corruption["identifiable"] is True


def test_what_all_cells_of_a_condition_share_cannot_be_written_to(open_stamps: Open) -> None:
    opened = open_stamps(label_fraction=0.5)
    values = [getattr(opened, field.name) for field in dataclasses.fields(opened)]
    parts = [value for value in values if isinstance(value, Part)]
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    arrays += [array for part in parts for array in (part.pixels, part.labels)]
    assert len(arrays) == 14
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = 0


def test_mean_and_deviation_are_those_of_the_training_pixels(open_stamps: Open) -> None:
    opened = open_stamps()
    scaled = opened.train.pixels / 255
    assert opened.mean == pytest.approx(scaled.mean(axis=(0, 2, 3)))
    assert opened.std[0] == pytest.approx(scaled[:, 0].std())
    assert opened.std[1] == 1 / 255  # the second channel is flat


def test_channel_statistics_are_exact_over_several_blocks() -> None:
    pixels = np.arange(3000 * 2 * 9, dtype=np.int64).reshape(3000, 2, 3, 3) % 251
    rows = np.arange(0, 3000, 2)
    mean, std = channel_statistics(pixels.astype(np.uint8), rows)
    assert mean == pytest.approx((pixels[rows] / 255).mean(axis=(0, 2, 3)))
    assert std == pytest.approx((pixels[rows] / 255).std(axis=(0, 2, 3)))
