import dataclasses
import math

import benchbase_baselines
import pytest
import torch
from benchbase_baselines import ERM, ERMFinetune, ERMMix, Focal, MWNet, RandomWeights
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from benchbase.api import Images, Need
from benchbase.errors import UndeclaredNeedError
from benchbase.kit.loops import endless_batches, forward, load_batch

EVERY_WEIGHTER = pytest.mark.parametrize(
    "weighter",
    [ERM(), Focal(), MWNet(), ERMMix(), ERMFinetune(), RandomWeights()],
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


@EVERY_WEIGHTER
def test_a_run_repeats_bit_for_bit(make_digits, weighter):
    first, second = (
        list(weighter.fit(make_digits(count=130, epochs=2).task))[-1] for _ in range(2)
    )
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


@EVERY_WEIGHTER
def test_reported_weights_are_those_of_the_training_rows(make_digits, weighter):
    task = make_digits(count=150, epochs=2).task
    for checkpoint in weighter.fit(task):
        if checkpoint.weights is not None:
            assert checkpoint.weights.shape == (150,)
            assert checkpoint.weights.isfinite().all()


@EVERY_WEIGHTER
def test_trusted_images_are_asked_for_only_where_declared(make_digits, weighter):
    task = dataclasses.replace(make_digits(count=130, epochs=1).task, needs=weighter.needs)
    assert len(list(weighter.fit(task))) == 1
    if Need.TRUSTED in weighter.needs:
        with pytest.raises(UndeclaredNeedError):
            list(weighter.fit(dataclasses.replace(task, needs=frozenset())))


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


def test_all_are_registered_under_their_entry_points():
    from importlib.metadata import entry_points

    names = {weighter.name for weighter in benchbase_baselines.register_weighters()}
    points = entry_points(group="benchbase.weighters")
    assert names == {p.name for p in points if p.value == "benchbase_baselines"}
    assert benchbase_baselines.BENCHBASE_API == 1
