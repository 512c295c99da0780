"""Selection by the variance of gradients, and by lot: when it acts, on what, how well."""

import pytest
import torch
from benchbase_vog_active import CoTeaching, VoG, coteaching
from benchbase_vog_active.coteaching import RandomPart, VariancePart
from benchbase_vog_active.selection import mixed, smallest
from sklearn.metrics import roc_auc_score
from torch import nn

from benchbase.api import Batch, ImageShape
from benchbase.backbones.torchvision_families import EfficientNetB0
from benchbase.errors import ContractError
from benchbase.kit.loops import forward, load_batch

SEEDS = range(4)


@pytest.mark.parametrize("mode", ["harvested", "separate"])
def test_vog_with_mix_zero_is_co_teaching_bit_for_bit(make_points, mode):
    settings = {"num_classes": 3, "largest": 40, "epochs": 6}
    *_, plain = CoTeaching().fit(make_points(**settings).task)
    *_, zero = VoG(mix=0.0, vog_mode=mode).fit(make_points(**settings).task)
    assert torch.equal(plain.weights, zero.weights)
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, zero.model.state_dict()[name]), name
    *_, vog = VoG(vog_mode=mode).fit(make_points(**settings).task)
    assert not torch.equal(vog.model.first.head.weight, plain.model.first.head.weight)


def test_epoch_eleven_of_fifty_looks_back_at_epochs_six_to_ten(make_points, monkeypatch):
    task = make_points(num_classes=3, largest=10).task
    network = task.build_model()
    part = VariancePart(task, network, mix=0.2, start=11, window=5)
    batch = load_batch(task, task.train, torch.arange(30), task.rng("augmentation"))
    told = []

    def watched(losses, second, count, mix):
        told.append((second, count, mix))
        return mixed(losses, second, count, mix)

    monkeypatch.setattr(coteaching, "mixed", watched)
    for epoch in range(13):
        # Tagged by epoch: epochs 6 to 10 have the deviation sqrt(2), and any others another.
        tag = torch.full((30, 4), float(epoch * epoch))
        monkeypatch.setattr(coteaching, "last_layer_gradients", lambda *_, tag=tag, **__: tag)
        part.begin(epoch)
        part.choose(forward(task, network, batch, 0.05, epoch), 20)
        if epoch < 6:
            assert part._window.epochs == []
        assert len(told) == max(0, epoch - 10)
    for first, (second, count, mix) in zip((6, 7), told, strict=True):
        expected = torch.arange(first, first + 5.0).square().std(correction=0)
        torch.testing.assert_close(second, expected.expand(30))
        assert (count, mix) == (20, 0.2)


@pytest.mark.parametrize(
    ("epochs", "first"), [(50, 11), (30, 7), (10, 3), (8, 3), (5, 2), (3, 2), (2, None)]
)
def test_vog_acts_from_the_epoch_after_the_ramp(make_points, monkeypatch, epochs, first):
    acted = set()

    class Noting(VariancePart):
        def choose(self, step, count):
            if self._variance is not None:
                acted.add(step.epoch)
                back = list(range(max(0, step.epoch - 5), step.epoch))
                assert self._window.epochs == back  # the only batch of the epoch is still to come
            return super().choose(step, count)

    monkeypatch.setattr("benchbase_vog_active.VariancePart", Noting)
    task = make_points(num_classes=3, largest=5, epochs=epochs).task
    list(VoG().fit(task))
    assert acted == (set() if first is None else set(range(first, epochs)))


def test_the_random_part_replaces_what_vog_would_choose(make_points):
    task = make_points(num_classes=3, largest=10).task
    network = task.build_model()
    part = RandomPart(0.5, 4, task.rng("random part"))
    batch = load_batch(task, task.train, torch.arange(30), task.rng("augmentation"))
    early, late = (forward(task, network, batch, 0.05, epoch) for epoch in (3, 4))
    assert torch.equal(part.choose(early, 20), smallest(early.losses, 20))
    draws = [part.choose(late, 20) for _ in range(50)]
    by_loss = smallest(late.losses, 10)
    for chosen in draws:
        assert chosen.sum() == 20
        assert chosen[by_loss].all()
    often = torch.stack(draws).float().mean(0)[~by_loss]
    assert 0.2 < often.min() < often.max() < 0.8  # each of the 20 others is chosen half of the time


def test_a_separate_pass_sees_each_image_in_train_mode_and_is_counted(make_points, monkeypatch):
    task = make_points(num_classes=3, largest=30, epochs=5, batch_size=30).task
    modes = []
    recording = VariancePart._record

    def watched(self, step):
        modes.append(step.model.training)
        assert step.model is not self._network
        recording(self, step)

    monkeypatch.setattr(VariancePart, "_record", watched)
    list(VoG(vog_mode="separate").fit(task))
    # Epochs 0 to 3 are looked at after they ended, by two networks in three batches each.
    assert modes == [True] * 4 * 2 * 3
    assert task.meter.forwarded == 2 * 90 * (5 + 4)
    assert task.meter.backpropagated == 2 * 90 * 5


def test_harvested_and_separate_gradients_rank_alike(make_points, monkeypatch):
    found = []
    begin = VariancePart.begin

    def watched(self, epoch):
        begin(self, epoch)
        if epoch == 11:
            found.append(self._variance)

    monkeypatch.setattr(VariancePart, "begin", watched)
    for mode in ("harvested", "separate"):
        # With mix zero both train the same network.
        task = make_points(epochs=12, largest=60, distance=1.0).task
        list(VoG(mix=0.0, vog_mode=mode).fit(task))
    harvested, separate = found[0], found[2]
    ranks = torch.stack([harvested, separate]).argsort(1).argsort(1).float()
    assert torch.corrcoef(ranks)[0, 1] > 0.6


def test_gradients_are_those_of_the_last_layer_where_dropout_comes_before_it(
    make_points, monkeypatch
):
    task = make_points(epochs=15).task
    with task.seeded("network"):
        network = EfficientNetB0().build(ImageShape(3, 32, 32), 9)
        images = torch.randn(6, 3, 32, 32)
        step = forward(task, network, Batch(images, torch.arange(6), torch.arange(6)), 0.1, 11)
    part = VariancePart(task, network, mix=0.2, start=11, window=1)
    noted = []
    monkeypatch.setattr(part._window, "record", lambda *batch: noted.append(batch[-1]))
    part._record(step)
    for image, loss in enumerate(step.losses):
        weight, bias = torch.autograd.grad(
            loss, [network.head.weight, network.head.bias], retain_graph=True
        )
        expected = torch.cat([bias[image : image + 1], weight[image]])
        torch.testing.assert_close(noted[0][image], expected, atol=1e-6, rtol=1e-4)


def test_a_last_layer_that_is_not_linear_is_refused_with_a_reason(make_points):
    task = make_points(epochs=5).task
    network = task.build_model()
    network.head = nn.Sequential(nn.Dropout(), network.head)
    with pytest.raises(ContractError, match="head is a Sequential: let its `features`"):
        VariancePart(task, network, mix=0.2, start=1, window=5)


# -- behaviour on Gaussian classes with a long tail: the regime of the specification's toy ---------


def long_tail(make_points, noise_rate, seed):
    return make_points(
        seed=seed, noise_rate=noise_rate, largest=400, imbalance=100, epochs=15, batch_size=128
    )


@pytest.mark.slow
@pytest.mark.parametrize("noise_rate", [0.4, 0.5])
def test_vog_finds_wrong_labels(make_points, monkeypatch, noise_rate):
    aurocs = []
    begin = VariancePart.begin

    def watched(self, epoch):
        begin(self, epoch)
        if epoch == 14:
            aurocs.append(roc_auc_score(~points.is_right, self._variance))

    monkeypatch.setattr(VariancePart, "begin", watched)
    for seed in SEEDS:
        points = long_tail(make_points, noise_rate, seed)
        list(VoG().fit(points.task))
    assert len(aurocs) == 2 * len(SEEDS)
    assert min(aurocs) > 0.7


@pytest.mark.slow
def test_small_vog_is_purer_than_a_random_part_and_large_vog_less_pure(make_points, monkeypatch):
    right = {"small": 0, "random": 0, "large": 0}
    whole = 0

    def watched(losses, second, count, mix):
        nonlocal whole
        chosen = mixed(losses, second, count, mix)
        by_second = int(count * mix)
        if by_second:
            by_loss = smallest(losses, count - by_second)
            lots = torch.rand(len(losses), generator=stream)
            for name, scores in (("small", second), ("random", lots), ("large", -second)):
                part = smallest(scores.masked_fill(by_loss, torch.inf), by_second)
                right[name] += truths[-1][part].sum().item()
            whole += by_second
        return chosen

    truths = []
    choose = VariancePart.choose

    def noting(self, step, count):
        truths.append(points.is_right[step.batch.rows])
        return choose(self, step, count)

    monkeypatch.setattr(coteaching, "mixed", watched)
    monkeypatch.setattr(VariancePart, "choose", noting)
    for seed in SEEDS:
        points = long_tail(make_points, 0.4, seed)
        stream = points.task.rng("lots")
        list(VoG().fit(points.task))
    precision = {name: count / whole for name, count in right.items()}
    assert precision["small"] > precision["random"] + 0.1
    assert precision["random"] > precision["large"] + 0.05


def test_the_selection_is_purer_than_the_labels(make_points):
    for weighter in (CoTeaching(), VoG()):
        points = long_tail(make_points, 0.4, seed=0)
        *_, last = weighter.fit(points.task)
        kept = last.weights == 1
        assert points.is_right[kept].float().mean() > points.is_right.float().mean() + 0.2
