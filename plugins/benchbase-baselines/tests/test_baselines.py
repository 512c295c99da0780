import dataclasses
import math

import benchbase_baselines
import pytest
import torch
from benchbase_baselines import (
    ELR,
    ERM,
    GCE,
    ERMFinetune,
    ERMMix,
    Focal,
    MWNet,
    OracleLabels,
    OracleWeights,
    RandomWeights,
)
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from benchbase.api import Images
from benchbase.kit.loops import endless_batches, forward, load_batch, supervised
from benchbase.testing.conformance import parametrize_with_checks

EVERY_WEIGHTER = pytest.mark.parametrize(
    "weighter",
    [weighter() for weighter in benchbase_baselines.register_weighters()],
    ids=lambda w: w.name,
)


def first_step(task):
    batch = load_batch(task, task.train, torch.arange(20), task.rng("augmentation"))
    return forward(task, task.build_model(), batch, 0.05, 0)


@EVERY_WEIGHTER
def test_takes_the_same_optimiser_steps_and_one_checkpoint_an_epoch(make_digits, weighter):
    task = make_digits(count=130, epochs=5).task
    checkpoints = list(weighter.fit(task))
    assert len(checkpoints) == 5
    assert task.meter.steps == 5 * 3
    assert all(math.isfinite(checkpoint.notes["loss"]) for checkpoint in checkpoints)


def test_erm_weighs_every_image_with_one(make_digits):
    step = first_step(make_digits().task)
    assert torch.equal(ERM().prepare(make_digits().task)(step), torch.ones(20))


def test_random_weights_have_the_mean_one_and_change_each_step(make_digits):
    weigh = RandomWeights().prepare(make_digits().task)
    step = first_step(make_digits().task)
    drawn = torch.cat([weigh(step) for _ in range(200)])
    assert drawn.min() >= 0
    assert drawn.max() <= 2
    assert drawn.mean().item() == pytest.approx(1.0, abs=0.05)
    assert len(drawn.unique()) > 3900


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_is_the_published_loss_and_gradient(make_digits, gamma):
    task = make_digits().task
    step = first_step(task)
    loss = (Focal(gamma=gamma).prepare(task)(step) * step.losses).mean()
    logits = step.logits.detach().requires_grad_()
    p = F.softmax(logits, dim=1)[torch.arange(20), step.batch.labels]
    expected = (-((1 - p) ** gamma) * p.log()).mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(
        torch.autograd.grad(loss, step.logits)[0], torch.autograd.grad(expected, logits)[0]
    )


def test_focal_with_gamma_zero_is_erm(make_digits):
    focal, erm = (
        list(weighter.fit(make_digits(count=130, epochs=2).task))[-1]
        for weighter in (Focal(gamma=0.0), ERM())
    )
    assert torch.equal(focal.model.head.weight, erm.model.head.weight)


def test_focal_stays_finite_where_an_image_is_certain(make_digits):
    task = make_digits().task
    step = first_step(task)
    losses = torch.zeros(20, requires_grad=True)
    weights = Focal(gamma=0.5).prepare(task)(dataclasses.replace(step, losses=losses))
    (gradient,) = torch.autograd.grad((weights * losses).mean(), losses)
    assert gradient.isfinite().all()


def test_mwnet_weights_are_probabilities_without_a_gradient(make_digits):
    task = make_digits().task
    step = first_step(task)
    weights = MWNet().prepare(task)(step)
    assert not weights.requires_grad
    assert ((weights > 0) & (weights < 1)).all()


def test_mwnet_moves_its_network_down_the_trusted_loss(make_digits):
    task = make_digits().task
    step = first_step(task)
    trusted = next(endless_batches(task, task.trusted, "trusted", task.recipe.trusted_batch_size))
    parameters = dict(step.model.named_parameters())

    def trusted_loss(weights):
        gradients = torch.autograd.grad(
            (weights * step.losses).mean(), list(parameters.values()), retain_graph=True
        )
        return step.trusted_loss_at(
            {
                name: value - step.lr * gradient
                for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
            },
            trusted,
        )

    still = MWNet(meta_learning_rate=0.0).prepare(task)(step)
    moved = MWNet(meta_learning_rate=1e-2).prepare(task)(step)
    assert trusted_loss(moved) < trusted_loss(still)


@pytest.mark.slow
def test_mwnet_turns_wrong_labels_down_and_focal_turns_them_up(make_digits):
    recipe = {"epochs": 25, "batch_size": 100, "trusted_batch_size": 100, "schedule": "constant"}

    def auroc(weighter):
        digits = make_digits(**recipe)
        last = list(weighter.fit(digits.task))[-1]
        return roc_auc_score(digits.is_right.numpy(), last.weights.numpy())

    assert auroc(MWNet()) > 0.9
    assert auroc(Focal()) < 0.3


def test_mix_trains_on_every_trusted_image(make_digits, monkeypatch):
    seen = []

    def watching(task, model, weigh, *, data, **settings):
        seen.append(data)
        return iter(())

    monkeypatch.setattr(benchbase_baselines, "supervised", watching)
    task = make_digits(count=130).task
    view = task.train.subset(torch.arange(0, 130, 2))
    list(ERMMix().fit(dataclasses.replace(task, train=view)))
    (union,) = seen
    assert torch.equal(union.labels, torch.cat([view.labels, task.trusted.labels]))
    shown = union.pixels[union.rows]
    assert torch.equal(shown[:65], task.train.pixels[::2])
    assert torch.equal(shown[65:], task.trusted.pixels)


def test_finetune_is_erm_first_and_ends_on_the_trusted_images(make_digits):
    task = make_digits(count=130, epochs=4).task
    erm = dataclasses.replace(task.recipe, epochs=2)
    expected = list(ERM().fit(dataclasses.replace(task, recipe=erm)))[-1]
    tuned = ERMFinetune(rate=0.0).fit(make_digits(count=130, epochs=4).task)
    *_, last = tuned
    # At the rate zero the parameters stay, while batch norm already follows the trusted images.
    for name, value in expected.model.named_parameters():
        assert torch.equal(value, last.model.get_parameter(name)), name
    assert not torch.equal(
        expected.model.get_buffer("body.1.running_mean"),
        last.model.get_buffer("body.1.running_mean"),
    )


@pytest.mark.parametrize("weighter", [MWNet(), ERMFinetune()], ids=lambda w: w.name)
def test_no_trusted_images_are_refused_with_a_reason(make_digits, weighter):
    task = make_digits(count=130, epochs=2).task
    empty = task.trusted.subset(torch.arange(0))
    assert isinstance(empty, Images)
    task = dataclasses.replace(task, grants=dataclasses.replace(task.grants, trusted=empty))
    with pytest.raises(Exception, match="at least 2 images, got 0 images"):
        list(weighter.fit(task))


def test_gce_is_the_published_loss_and_its_weights_are_its_gradient_against_cross_entropys(
    make_digits,
):
    step = first_step(make_digits().task)
    given = GCE(q=0.7).prepare(make_digits().task)(step)
    p = step.logits.softmax(1)[torch.arange(20), step.batch.labels]
    torch.testing.assert_close(given.each, (1 - p**0.7) / 0.7)
    own, plain = (
        torch.autograd.grad(losses.sum(), step.logits, retain_graph=True)[0]
        for losses in (given.each, step.losses)
    )
    assert given.weights is not None
    torch.testing.assert_close(own, given.weights[:, None] * plain)


def test_gce_keeps_its_slope_where_an_image_is_all_but_certain(make_digits):
    task = make_digits().task
    losses = torch.full((20,), 1e-12, requires_grad=True)
    given = GCE().prepare(task)(dataclasses.replace(first_step(task), losses=losses))
    (slope,) = torch.autograd.grad(given.each.sum(), losses)
    torch.testing.assert_close(slope, torch.ones(20))


def test_elr_is_the_published_loss_with_a_memory_of_each_image(make_digits):
    task = make_digits().task
    lose = ELR(memory=0.7, strength=3.0).prepare(task)
    step = first_step(task)
    later = dataclasses.replace(step, logits=step.logits.flip(0))
    p, q = (each.logits.detach().softmax(1).clamp(1e-4, 1 - 1e-4) for each in (step, later))
    target = 0.3 * p / p.sum(1, keepdim=True)
    for each, now in ((step, p), (later, q)):
        if each is later:
            target = 0.7 * target + 0.3 * q / q.sum(1, keepdim=True)
        given = lose(each)
        expected = each.losses + 3.0 * (1 - (target * now).sum(1)).log()
        torch.testing.assert_close(given.each, expected)
        assert given.weights is None


def test_elr_without_strength_is_erm_and_reports_no_weights(make_digits):
    elr, erm = (
        list(weighter.fit(make_digits(count=130, epochs=2).task))[-1]
        for weighter in (ELR(strength=0.0), ERM())
    )
    assert torch.equal(elr.model.head.weight, erm.model.head.weight)
    assert elr.weights is None


@pytest.mark.parametrize("balanced", [False, True])
def test_oracle_weights_know_right_from_wrong_and_have_the_mean_one(make_digits, balanced):
    digits = make_digits()
    task = digits.task
    weights = OracleWeights(balanced=balanced).prepare(task)(first_step(task))
    assert torch.equal(weights > 0, digits.is_right[:20])
    assert weights.mean().item() == pytest.approx(1.0)
    right = weights[digits.is_right[:20]]
    labels = task.truth[:20][digits.is_right[:20]]
    counts = task.truth[digits.is_right].bincount(minlength=10)[labels]
    pulls = right * counts if balanced else right
    torch.testing.assert_close(pulls, pulls[:1].expand_as(pulls))


def test_oracle_weights_of_a_batch_without_a_right_label_are_zero(make_digits):
    task = make_digits(noise_rate=1.0).task
    assert torch.equal(OracleWeights().prepare(task)(first_step(task)), torch.zeros(20))


def test_oracle_labels_are_erm_on_right_labels(make_digits):
    noisy, clean = (make_digits(count=130, noise_rate=rate, epochs=2).task for rate in (0.4, 0.0))
    assert not torch.equal(noisy.train.labels, clean.train.labels)
    oracle, erm = (
        list(weighter.fit(task))[-1] for weighter, task in ((OracleLabels(), noisy), (ERM(), clean))
    )
    assert torch.equal(oracle.model.head.weight, erm.model.head.weight)


def test_oracle_labels_train_on_withheld_images_with_their_true_labels(make_digits, monkeypatch):
    seen = []
    real = supervised

    def spy(task, model, weigh, *, data):
        seen.append(data)
        return real(task, model, weigh, data=data)

    monkeypatch.setattr(benchbase_baselines, "supervised", spy)
    task = make_digits(count=130, epochs=1).task
    withheld = Images(task.trusted.pixels, task.trusted.labels, task.trusted.rows)
    grants = dataclasses.replace(task.grants, unlabelled=withheld)
    list(OracleLabels().fit(dataclasses.replace(task, grants=grants, withheld=100)))
    assert seen[0].labels.tolist() == [*task.truth.tolist(), *withheld.labels.tolist()]
    assert torch.equal(seen[0].pixels[-100:], withheld.pixels)


@parametrize_with_checks(benchbase_baselines.register_weighters())
def test_it_keeps_the_contract(weighter, check):
    check(weighter)
