"""Kinds of label noise, on their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbase.data.contract import Noise, Part
from benchbase.data.noise import (
    KINDS,
    InstanceNoise,
    MatrixNoise,
    NoiseOfRate,
    NoNoise,
    PairNoise,
    SymmetricNoise,
    draw_classes,
)
from benchbase.errors import DataError, UsageError
from benchbase.options import construct
from benchbase.seeding import numpy_stream


def part(count: int, classes: int) -> Part:
    pixels = numpy_stream(5, "pixels").integers(0, 256, (count, 1, 6, 6), dtype=np.uint8)
    return Part(pixels, np.arange(count) % classes)


def corrupt(
    noise: Noise, images: Part, classes: int, *, seed: int = 0, name: str = "train"
) -> Part:
    streams = numpy_stream(seed, "noise", name), numpy_stream(seed, "noise", "shared")
    return Part(images.pixels, noise.corrupt(images, classes, *streams))


@pytest.mark.parametrize("kind", [SymmetricNoise, PairNoise])
@pytest.mark.parametrize(
    ("count", "rate", "changes"), [(101, 0.2, 20), (7, 0.5, 4), (50, 1.0, 50), (50, 0.0, 0)]
)
def test_symmetric_and_pair_noise_change_exactly_the_rounded_share(
    kind: type[NoiseOfRate], count: int, rate: float, changes: int
) -> None:
    images = part(count, 4)
    assert (corrupt(kind(rate), images, 4).labels != images.labels).sum() == changes


def test_at_rate_one_symmetric_noise_moves_every_label_to_every_other_class() -> None:
    images = part(3000, 3)
    observed = corrupt(SymmetricNoise(1.0), images, 3).labels
    for true in range(3):
        counts = np.bincount(observed[images.labels == true], minlength=3)
        assert counts[true] == 0
        assert counts.sum() == 1000
        assert np.delete(counts, true).min() > 420


def test_pair_noise_moves_labels_to_the_next_class_and_the_last_to_the_first() -> None:
    images = part(9, 3)
    assert corrupt(PairNoise(1.0), images, 3).labels.tolist() == [1, 2, 0] * 3


def test_symmetric_noise_spoils_the_labels_of_a_long_tail_as_its_rate_predicts() -> None:
    counts = np.array([8000, 4500, 2530, 1423, 800, 450, 253, 142, 80])
    truth = np.repeat(np.arange(9), counts)
    images = Part(np.zeros((len(truth), 1, 6, 6), dtype=np.uint8), truth)
    observed = corrupt(SymmetricNoise(0.5), images, 9).labels
    purity = [(truth[observed == label] == label).mean() for label in range(9)]
    # (1 - p) n_c / ((1 - p) n_c + p / 8 (N - n_c)): 0.86 for the head, 0.03 for the tail.
    expected = 0.5 * counts / (0.5 * counts + 0.5 / 8 * (counts.sum() - counts))
    np.testing.assert_allclose(purity, expected, atol=0.03)
    assert expected[[0, 4, 8]] == pytest.approx([0.863, 0.269, 0.034], abs=1e-3)


def test_a_higher_rate_changes_the_same_labels_in_the_same_way_and_more() -> None:
    images = part(400, 5)
    low = corrupt(SymmetricNoise(0.2), images, 5).labels
    high = corrupt(SymmetricNoise(0.4), images, 5).labels
    changed = low != images.labels
    assert (high[changed] == low[changed]).all()
    assert (high != images.labels).sum() == 160


def test_seeds_draw_different_noise_and_one_seed_draws_the_same() -> None:
    images = part(400, 5)
    for noise in (SymmetricNoise(0.4), PairNoise(0.4), InstanceNoise(0.4)):
        first = corrupt(noise, images, 5, seed=0).labels
        assert (first == corrupt(noise, images, 5, seed=0).labels).all()
        assert (first != corrupt(noise, images, 5, seed=1).labels).any()


def test_instance_noise_comes_close_to_its_rate() -> None:
    images = part(6000, 4)
    observed = corrupt(InstanceNoise(0.4), images, 4).labels
    # Three standard errors of a share of 6,000 are 0.019.
    assert (observed != images.labels).mean() == pytest.approx(0.4, abs=0.02)


def test_instance_noise_depends_on_the_image() -> None:
    one = np.zeros((1, 1, 6, 6), dtype=np.uint8)
    one[..., :3] = 200
    other = one[..., ::-1].copy()
    pixels = np.concatenate([one.repeat(500, 0), other.repeat(500, 0)])
    images = Part(pixels, np.zeros(1000, dtype=np.int64))
    observed = corrupt(InstanceNoise(0.5), images, 6).labels
    of_one = np.bincount(observed[:500], minlength=6)[1:]
    of_other = np.bincount(observed[500:], minlength=6)[1:]
    assert of_one.argmax() != of_other.argmax()
    # Equal images are mostly taken for one class; symmetric noise would give each a fifth.
    assert of_one.max() > 0.5 * of_one.sum()


def test_instance_noise_confuses_validation_as_it_confuses_train() -> None:
    images = part(3000, 4)
    train = corrupt(InstanceNoise(0.5), images, 4).labels
    some = np.arange(0, 3000, 2)
    validation = corrupt(InstanceNoise(0.5), images.take(some), 4, name="validation").labels
    wrong, wrong_there = train[some] != images.labels[some], validation != images.labels[some]
    both_wrong = wrong & wrong_there
    assert (train[some] == validation)[both_wrong].mean() > 0.7
    assert both_wrong.mean() == pytest.approx(wrong.mean() * wrong_there.mean(), abs=0.03)


def test_instance_noise_at_rate_zero_changes_nothing() -> None:
    images = part(100, 4)
    assert (corrupt(InstanceNoise(0.0), images, 4).labels == images.labels).all()


def test_instance_noise_states_the_mean_of_its_truncated_rates() -> None:
    images = part(20_000, 4)
    nominal = 1 - InstanceNoise(0.05).transition(4)[0, 0]
    realised = (corrupt(InstanceNoise(0.05), images, 4).labels != images.labels).mean()
    assert nominal == pytest.approx(0.1009, abs=1e-4)  # 0.05 + 0.1 pdf(0.5) / cdf(0.5)
    assert realised == pytest.approx(nominal, abs=0.01)


def test_a_matrix_is_followed_class_by_class(tmp_path: Path) -> None:
    file = tmp_path / "matrix.csv"
    file.write_text("0.5,0.5,0\n0,1,0\n0.25,0.25,0.5\n")
    images = part(6000, 3)
    observed = corrupt(MatrixNoise(str(file)), images, 3).labels
    assert set(observed[images.labels == 0]) == {0, 1}
    assert set(observed[images.labels == 1]) == {1}
    shares = np.bincount(observed[images.labels == 2]) / 2000
    assert shares == pytest.approx([0.25, 0.25, 0.5], abs=0.04)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1,0\n0,1\n", "expected 3 x 3 .* found 2 x 2"),
        ("1,0,0\n0,1,0\n0,0.5,0.4\n", r"rows summing to 1.*sums 1, 1, 0\.9"),
        ("1,0,0\n0,1,0\n-0.5,1,0.5\n", "at least 0.*minimum of -0.5"),
        ("a,b,c\n", "expected comma-separated numbers"),
        ("1,0,0\n0,1\n0,0,1\n", "expected comma-separated numbers"),
    ],
)
def test_a_matrix_that_is_none_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "matrix.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=complaint):
        MatrixNoise(str(file)).transition(3)


def test_a_matrix_without_its_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--noise matrix:FILE\.csv"):
        MatrixNoise().files()
    with pytest.raises(DataError, match=r"no file .*absent\.csv"):
        MatrixNoise(str(tmp_path / "absent.csv")).files()


def test_a_noise_that_exists_at_any_rate_must_be_told_which() -> None:
    for kind in (SymmetricNoise, PairNoise, InstanceNoise):
        with pytest.raises(UsageError, match=f"{kind.name}' needs a rate: write {kind.name}:0.4"):
            kind().transition(3)
        with pytest.raises(UsageError, match="option rate: expected float from 0 to 1, or none"):
            construct(kind, {"rate": 1.5})
    for other in (NoNoise, MatrixNoise):
        with pytest.raises(UsageError, match="unknown option 'rate'"):
            construct(other, {"rate": 0.4})


@pytest.mark.parametrize(
    ("noise", "classes", "expected"),
    [
        (NoNoise(), 2, True),
        (SymmetricNoise(0.49), 2, True),
        (SymmetricNoise(0.5), 2, False),
        (SymmetricNoise(2 / 3), 3, False),
        (SymmetricNoise(0.89), 10, True),
        (SymmetricNoise(0.9), 10, False),
        (PairNoise(0.49), 10, True),
        (PairNoise(0.5), 10, False),
        (InstanceNoise(0.4), 10, True),
        (InstanceNoise(0.5), 10, False),
    ],
)
def test_noise_that_hides_the_true_class_is_not_identifiable(
    noise: Noise, classes: int, expected: bool
) -> None:
    assert noise.is_identifiable(classes) is expected


@pytest.mark.parametrize("noise", [SymmetricNoise(0.3), PairNoise(0.3), InstanceNoise(0.3)])
def test_rows_of_a_transition_sum_to_one(noise: Noise) -> None:
    assert noise.transition(4).sum(axis=1) == pytest.approx([1] * 4)


def test_the_pair_transition_stands_beside_the_diagonal() -> None:
    expected = [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]]
    assert PairNoise(0.25).transition(3).tolist() == expected


def test_a_class_of_probability_zero_is_never_drawn() -> None:
    chances = np.tile([0.0, 0.3, 0.7, 0.0], (20_000, 1))
    assert set(draw_classes(chances, numpy_stream(0, "test"))) == {1, 2}


def test_every_kind_is_registered_under_a_name_of_its_own() -> None:
    kinds = [kind.name for kind in KINDS]
    assert kinds == ["none", "real", "symmetric", "pair", "matrix", "instance"]
