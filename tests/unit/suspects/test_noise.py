import numpy as np
import pytest

from benchbase.suspects.noise import inject, suggest_noise
from benchbase.suspects.rankings import precision

COUNT = 1200


def omissions(rng):
    """Class 1 is taken for class 0 at a rate of its images' own, up to eight in ten; never back."""
    truth = np.arange(COUNT) % 2
    rates = np.where(truth == 1, rng.uniform(0, 0.8, COUNT), 0.02)
    flips = (truth == 1) & (rng.random(COUNT) < rates)
    seen = np.where(truth == 1, rates, 1 - rates) + rng.normal(0, 0.03, COUNT)
    seen = seen.clip(0.01, 0.99)
    return truth, np.where(flips, 0, truth), np.stack([seen, 1 - seen], axis=1)


def symmetric(rng):
    truth = np.arange(COUNT) % 3
    labels = np.where(rng.random(COUNT) < 0.3, (truth + rng.integers(1, 3, COUNT)) % 3, truth)
    probabilities = np.full((COUNT, 3), 0.15) + 0.55 * np.eye(3)[truth]
    probabilities += rng.normal(0, 0.03, probabilities.shape)
    return truth, labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", [omissions, symmetric])
def test_wrong_labels_come_first_whatever_way_they_go(kind):
    truth, labels, probabilities = kind(np.random.Generator(np.random.PCG64(1)))
    noise = suggest_noise(labels, probabilities)
    [share] = precision(noise.doubt, labels != truth, [100])
    assert share > 0.95


def test_where_one_class_is_left_out_confidence_alone_would_doubt_right_labels():
    truth, labels, probabilities = omissions(np.random.Generator(np.random.PCG64(1)))
    doubt = 1 - probabilities[np.arange(COUNT), labels]
    [share] = precision(doubt, labels != truth, [100])
    assert share < 0.8


def test_as_many_labels_are_changed_as_are_thought_to_be_wrong():
    truth, labels, probabilities = symmetric(np.random.Generator(np.random.PCG64(1)))
    noise = suggest_noise(labels, probabilities)
    changed = noise.classes != labels
    assert changed.sum() == round(noise.rate * COUNT)
    assert 0.25 < noise.rate < 0.35
    assert (noise.classes == truth)[changed].mean() > 0.9


def test_injected_noise_has_the_suggested_rate_and_is_the_same_each_time():
    _, labels, probabilities = symmetric(np.random.Generator(np.random.PCG64(1)))
    noise = suggest_noise(labels, probabilities)
    injected = inject(noise)
    assert (injected != noise.classes).mean() == pytest.approx(noise.rate, abs=0.05)
    assert (injected == inject(noise)).all()


def test_nobody_doubts_or_changes_a_verified_label():
    _, labels, probabilities = symmetric(np.random.Generator(np.random.PCG64(1)))
    open_noise = suggest_noise(labels, probabilities)
    verified = np.arange(COUNT) < COUNT // 2
    noise = suggest_noise(labels, probabilities, verified)
    injected = inject(noise, verified)
    assert (noise.classes == labels)[verified].all()
    assert (injected == labels)[verified].all()
    assert not noise.doubt[verified].any()
    assert (open_noise.classes != labels)[verified].any()
    assert (injected != noise.classes)[~verified].any()
