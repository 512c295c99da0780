import torch

from benchbase.api import Checkpoint, LossWeighter, Need, Weighter
from benchbase.testing.mixture import noisy_mixture


class Knowing(Weighter):
    """Reports what it is told."""

    name = "knowing"

    def __init__(self, sign):
        self.sign = sign

    def fit(self, task):
        right = task.train.labels == task.truth
        yield Checkpoint(task.build_model(), weights=self.sign * right.float())


def test_a_share_of_the_labels_is_wrong_and_the_truth_is_known():
    mixture = noisy_mixture(noise=0.3)
    task = mixture.task
    assert abs((~mixture.is_right).float().mean().item() - 0.3) < 0.03
    assert torch.equal(task.train.labels == task.truth, mixture.is_right)
    assert task.noise_rate == (~mixture.is_right).float().mean().item()
    assert task.needs == {Need.TRUSTED, Need.NOISE_RATE, Need.TRUTH}


def test_it_measures_how_well_weights_tell_right_labels():
    assert noisy_mixture().weight_auroc(Knowing(1)) == 1
    assert noisy_mixture().weight_auroc(Knowing(-1)) == 0


def test_it_can_be_learned_in_spite_of_the_noise(noisy_mixture):
    class BySmallLoss(LossWeighter):
        name = "by-small-loss"

        def prepare(self, task):
            return lambda step: torch.exp(-step.losses.detach())

    assert noisy_mixture().weight_auroc(BySmallLoss()) > 0.8


def test_seeds_draw_other_points(noisy_mixture):
    first, again, other = (noisy_mixture(seed=seed).task.train for seed in (0, 0, 1))
    assert torch.equal(first.pixels, again.pixels)
    assert not torch.equal(first.pixels, other.pixels)
