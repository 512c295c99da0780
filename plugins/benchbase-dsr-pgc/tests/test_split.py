"""Which given labels are believed."""

import dataclasses

import numpy as np
import pytest
import torch
from benchbase_dsr_pgc.loss_split import (
    LEAST_SPREAD,
    LossSplit,
    believable,
    probability_right,
    standardise,
)
from torch.nn import functional as F

from benchbase.errors import DivergedError
from benchbase.seeding import numpy_stream


def mixture(count=600, wrong_share=0.3, classes=3):
    """Losses of right labels around 0.3 and of wrong ones around 2, and who is who."""
    rng = numpy_stream(0, "mixture")
    is_right = rng.random(count) >= wrong_share
    labels = rng.integers(0, classes, count)
    losses = np.where(is_right, rng.normal(0.3, 0.1, count), rng.normal(2, 0.4, count))
    return losses, labels, is_right


def test_wrong_labels_are_found_by_their_losses():
    losses, labels, is_right = mixture()
    mask = believable(losses, labels, 0)
    assert (mask == is_right).mean() > 0.98


def test_a_class_with_high_losses_is_not_wrong_as_a_whole():
    losses, labels, is_right = mixture()
    rare = np.arange(len(labels)) < 40
    labels = np.where(rare, 7, labels)
    losses = np.where(rare, losses + 5, losses)
    mask = believable(losses, labels, 0)
    assert (mask == is_right)[rare].mean() > 0.95


def test_standardised_losses_have_median_zero_and_spread_one_in_each_class():
    losses, labels, _ = mixture()
    values = standardise(losses * (1 + labels), labels)
    for label in range(3):
        own = values[labels == label]
        assert np.median(own) == pytest.approx(0, abs=1e-12)
        assert np.median(np.abs(own)) == pytest.approx(1)


def test_a_label_is_believed_if_likelier_right_than_wrong():
    rng = numpy_stream(0, "overlap")
    losses = np.concatenate((rng.normal(0, 1, 700), rng.normal(3, 1, 300)))
    labels = np.zeros(1000, dtype=int)
    likely = probability_right(standardise(losses, labels), 0)
    assert ((likely > 0.2) & (likely < 0.8)).sum() > 50
    assert np.array_equal(believable(losses, labels, 0), likely > 0.5)


def test_every_label_is_believed_where_one_gaussian_will_do():
    losses = numpy_stream(0, "one").normal(1, 0.2, 500)
    assert believable(losses, np.zeros(500, dtype=int), 0).all()


def test_of_each_class_the_lowest_losses_are_believed_whatever_the_mixture_says():
    losses, labels, _ = mixture()
    labels[:100] = 5
    losses[:100] = 50 + 20 * np.sort(numpy_stream(0, "tail").pareto(1, 100))
    labels[100:107] = 6
    losses[100:107] = [0.1, 90, 91, 92, 93, 94, 95]
    mask = believable(losses, labels, 0)
    assert mask[:10].all()
    assert mask[100:105].all()


@pytest.mark.parametrize(
    ("losses", "labels"),
    [
        ([0.5], [0]),
        ([0.5, 0.5, 0.5], [0, 1, 2]),
        ([0.1, 0.2, 0.1, 4.0], [0, 0, 0, 0]),
        ([0.0] * 8 + [7.0], [0] * 9),
        ([0.1, 3.0], [1, 1]),
        ([1e-9, 2e-9, 1e-9, 5e-9, 1e-9, 1e-9, 1e-9], [0, 1, 1, 1, 0, 1, 0]),
    ],
    ids=["one row", "single-sample classes", "small class", "no spread", "two rows", "all tiny"],
)
def test_small_and_degenerate_sets_are_split_without_a_warning(losses, labels):
    mask = believable(np.array(losses), np.array(labels), 0)
    assert mask.dtype == bool
    for label in set(labels):
        own = np.array(labels) == label
        assert mask[own].sum() >= min(5, own.sum())


def test_differences_in_the_last_digit_are_no_spread():
    values = standardise(np.array([1.0, 1.0 + 1e-7, 1.0 - 1e-7]), np.zeros(3, dtype=int))
    assert np.abs(values).max() < 1e-6 / LEAST_SPREAD


def test_the_lower_gaussian_is_the_right_one():
    values = np.concatenate((np.linspace(-1, 1, 50), np.linspace(20, 30, 50)))
    found = probability_right(values, 0)
    assert found[:50].min() > 0.9
    assert found[50:].max() < 0.1


def test_losses_are_of_images_as_they_are_and_averaged_over_three_looks(make_task):
    task = make_task()
    networks = [task.build_model() for _ in range(4)]
    split = LossSplit(task)
    for network in networks:
        split.look(network)
    images = task.normalise(task.train.pixels[task.train.rows])
    with torch.no_grad():
        losses = [
            F.cross_entropy(network.eval()(images), task.train.labels, reduction="none")
            for network in networks[1:]
        ]
    found = torch.stack(tuple(split._recent))
    torch.testing.assert_close(found, torch.stack(losses))
    expected = believable(found.mean(0).numpy(), task.train.labels.numpy(), split._seed)
    assert torch.equal(split.believed(), torch.from_numpy(expected))


def test_the_split_needs_neither_the_noise_rate_nor_the_truth(make_task):
    task = make_task(needs=frozenset())
    split = LossSplit(task)
    split.look(task.build_model())
    assert split.believed().any()


def test_losses_that_are_not_finite_are_divergence(make_task):
    task = make_task()
    network = task.build_model()
    network.head.bias.data.fill_(torch.nan)
    split = LossSplit(task)
    split.look(network)
    with pytest.raises(DivergedError, match="lower the learning rate"):
        split.believed()


def test_rows_of_a_view_are_positions_in_it(make_task):
    task = make_task()
    view = task.train.subset(torch.arange(1, len(task.train), 3))
    split = LossSplit(dataclasses.replace(task, train=view))
    split.look(task.build_model())
    assert len(split.believed()) == len(view)
