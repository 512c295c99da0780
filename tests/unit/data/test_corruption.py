"""What noise and its kinds do to the labels, and whom they reach."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from benchbase.cell import Scenario
from benchbase.data.contract import Imbalance, Labels, Noise, Part
from benchbase.data.corruption import observe
from benchbase.data.imbalance import Natural
from benchbase.data.opening import open_scenario
from benchbase.data.split import split
from benchbase.errors import UsageError
from tests.unit.data.conftest import MakeStamps, Open, pixel_rows


def test_in_track_t0_ten_noisy_images_a_class_leave_train(open_stamps: Open) -> None:
    opened = open_stamps(track="T0", noise="symmetric:0.4")
    assert opened.trusted_labels == "noisy"
    assert np.bincount(opened.trusted.labels).tolist() == [10, 10, 10]
    assert len(opened.train) == 500 - 30
    true = np.array(pixel_rows(opened.trusted)) % 3
    assert (true != opened.trusted.labels).sum() >= 3


def test_in_track_t0_a_rare_class_keeps_half_of_its_images(open_stamps: Open) -> None:
    opened = open_stamps(track="T0", imbalance="exponential:16")
    # 166, 42 and 10 images under the tail; of the last, 5 go and 5 stay.
    assert opened.corruption["class_counts"] == [156, 32, 5]
    assert opened.corruption["trusted_per_class"] == [10, 10, 5]


@dataclass(frozen=True)
class InPlace(Noise, Imbalance):
    """Writes over everything that it is given."""

    name: ClassVar[str] = "in place"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        assert "pixels" not in vars(part)  # nothing is copied for who does not look
        part.pixels[:] = 0
        assert not part.pixels.any()
        part.labels[:] = 0
        return part.labels

    def transition(self, num_classes: int) -> NDArray[np.float64]:
        return np.eye(num_classes)

    def counts(self, available: NDArray[np.int64]) -> NDArray[np.int64]:
        available[:] = 20
        return available


def test_a_noise_or_an_imbalance_that_works_in_place_changes_nothing_else(
    stamps: MakeStamps, cache: Path
) -> None:
    opened = open_scenario(
        Scenario(dataset="stamps", noise="in place", imbalance="in place", track="T0"),
        0,
        dataset=stamps(),
        noise=InPlace(),
        imbalance=InPlace(),
        roots=[],
        cache=cache,
    )
    for part, true in (
        (opened.train, opened.train_true),
        (opened.validation, opened.validation_true),
        (opened.test, opened.test.labels),
    ):
        assert [row % 3 for row in pixel_rows(part)] == true.tolist()
        assert set(true.tolist()) == {0, 1, 2}
    assert not opened.train.labels.any()


@dataclass(frozen=True)
class Listening(Noise):
    """Remembers the first number of each stream that it is given."""

    heard: list[tuple[float, float]]
    name: ClassVar[str] = "listening"

    def corrupt(
        self,
        part: Part,
        num_classes: int,
        rng: np.random.Generator,
        shared: np.random.Generator,
    ) -> Labels:
        self.heard.append((rng.random(), shared.random()))
        return part.labels

    def transition(self, num_classes: int) -> NDArray[np.float64]:
        return np.eye(num_classes)


def test_train_and_validation_draw_their_noise_apart_and_share_the_annotator(
    stamps: MakeStamps, tmp_path: Path
) -> None:
    parts, scenario = stamps().load([], tmp_path), Scenario(track="T0")
    noise = Listening([])
    observe(parts, split(parts, scenario, Natural(), 0), scenario, noise, 0)
    (train, annotator), (validation, same_annotator) = noise.heard
    assert annotator == same_annotator
    assert len({train, validation, annotator}) == 3


def given_of(part: Part) -> list[int]:
    """Work out which labels people gave to these images."""
    return [(row + (row % 4 == 0)) % 3 for row in pixel_rows(part)]


@pytest.mark.parametrize("pools", [{}, {"validation": 90}])
def test_real_noise_shows_what_people_gave_in_train_and_validation_and_the_truth_judges(
    open_stamps: Open, stamps: MakeStamps, pools: dict[str, int]
) -> None:
    opened = open_stamps(stamps(given=True, **pools), noise="real", label_fraction=0.5)
    for part, true in (
        (opened.train, opened.train_true),
        (opened.validation, opened.validation_true),
    ):
        assert part.labels.tolist() == given_of(part)
        assert true.tolist() == [row % 3 for row in pixel_rows(part)]
    for part in (opened.test, opened.trusted):
        assert part.labels.tolist() == [row % 3 for row in pixel_rows(part)]
    assert opened.trusted_labels == "clean"
    wrong = float((opened.train.labels != opened.train_true).mean())
    assert opened.corruption["realised_rate"] == pytest.approx(wrong)
    assert 0.15 < wrong < 0.35
    assert opened.corruption["transition"][0][1] == pytest.approx(
        (opened.train.labels[opened.train_true == 0] == 1).mean()
    )
    assert opened.corruption["identifiable"] is True


def test_the_rate_of_real_noise_is_told_to_nobody_and_that_of_added_noise_is(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    opened = {
        noise: open_stamps(stamps(given=True), noise=noise)
        for noise in ("real", "none", "symmetric:0.25")
    }
    assert {noise: each.noise_rate for noise, each in opened.items()} == {
        "real": None,
        "none": 0.0,
        "symmetric:0.25": pytest.approx(0.25, abs=0.002),
    }
    assert opened["none"].train.labels.tolist() == opened["none"].train_true.tolist()
    splits = {each.identity.split_hash for each in opened.values()}
    prints = {each.identity.fingerprint for each in opened.values()}
    labels = {each.identity.labels_hash for each in opened.values()}
    assert (len(splits), len(prints), len(labels)) == (1, 1, 3)


def test_labels_beside_those_that_people_gave_are_the_truth(
    open_stamps: Open, stamps: MakeStamps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "truth_known", False)
    assert open_stamps(stamps(given=True), noise="real").identity.truth_known
    assert open_stamps(stamps(given=True)).trusted_labels == "clean"
    assert not open_stamps(stamps()).identity.truth_known


def test_in_track_t0_the_meta_set_has_labels_as_people_gave_them(
    open_stamps: Open, stamps: MakeStamps
) -> None:
    opened = open_stamps(stamps(given=True), noise="real", track="T0")
    assert opened.trusted.labels.tolist() == given_of(opened.trusted)
    assert opened.trusted_labels == "noisy"


def test_real_noise_that_hides_a_class_is_not_identifiable(
    open_stamps: Open, stamps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = stamps.load

    def hide(*args: Any) -> Any:
        parts = load(*args)
        hidden = np.where(parts.train.labels == 1, 0, parts.train.labels)
        return dataclasses.replace(parts, train=dataclasses.replace(parts.train, given=hidden))

    monkeypatch.setattr(stamps, "load", hide)
    assert open_stamps(stamps(given=True), noise="real").corruption["identifiable"] is False


def test_real_noise_without_a_second_version_of_the_labels_is_refused(open_stamps: Open) -> None:
    with pytest.raises(UsageError, match=r"noise 'real' needs .* two versions .*truth=COLUMN"):
        open_stamps(noise="real")
