import dataclasses

import numpy as np
import torch

from benchbase.api import Checkpoint, Need, Weighter
from benchbase.suspects.training import predict_held, watch, weigh
from tests.unit.suspects.conftest import WRONG, entry


def test_an_image_is_judged_by_a_network_that_did_not_see_it(images, school):
    held, seen = np.arange(12), np.arange(12, 48)
    found = predict_held(school, images.labels, seen, held)
    assert found is not None
    assert found.shape == (3, 12, 2)
    assert np.allclose(found.sum(axis=2), 1)
    other = images.labels.copy()
    other[held] = 1 - other[held]
    assert (predict_held(school, other, seen, held) == found).all()


def test_wrong_labels_have_higher_losses_while_a_network_trains(images, school):
    seen = watch(school, images.labels)
    assert seen is not None
    wrong = np.isin(np.arange(48), WRONG)
    assert seen.loss[wrong].min() > seen.loss[~wrong].mean()
    assert (seen.variance >= 0).all()


def test_a_training_that_is_late_gives_nothing(images, school):
    late = dataclasses.replace(school, deadline=0)
    assert predict_held(late, images.labels, np.arange(12, 48), np.arange(12)) is None
    assert watch(late, images.labels) is None
    assert weigh(late, images.labels, entry(Half), 0.1) is None


class Half(Weighter):
    """Weighs each row by its place, and the last not at all; needs the noise rate."""

    name = "half"
    needs = frozenset({Need.NOISE_RATE})

    def fit(self, task):
        for epoch in range(4):
            weights = torch.arange(len(task.train)) * task.noise_rate * epoch
            weights[-1] = torch.nan
            yield Checkpoint(task.build_model(), weights=weights)


def test_a_methods_weights_are_the_mean_of_the_second_half(images, school):
    weights = weigh(school, images.labels, entry(Half), 0.5)
    assert weights is not None
    assert np.allclose(weights[:-1], np.arange(47) * 0.5 * 2.5)
    assert np.isnan(weights[-1])
