import dataclasses
import math
from itertools import islice

import pytest
import torch
from torch.nn import functional as F

from benchbase.api import Images, Losses
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.bilevel import hypergradient
from benchbase.kit.descent import cosine
from benchbase.kit.loops import endless_batches, endless_positions, predict, supervised


def uniform(step):
    return torch.ones_like(step.losses)


def train(task, weigh=uniform, **settings):
    model = task.build_model()
    return model, list(supervised(task, model, weigh, **settings))


def rows_of(batches):
    return [batch.rows.tolist() for batch in batches]


def plain_sgd(task):
    """Train as the loop says it does, by hand."""
    model, recipe = task.build_model(), task.recipe
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=1.0,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    steps = recipe.epochs * math.ceil(len(task.train) / recipe.batch_size)
    batches = endless_batches(task, task.train, "training", recipe.batch_size)
    for number, batch in enumerate(islice(batches, steps)):
        optimiser.param_groups[0]["lr"] = (
            recipe.learning_rate * (1 + math.cos(math.pi * number / steps)) / 2
        )
        optimiser.zero_grad()
        F.cross_entropy(model(batch.images), batch.labels).backward()
        optimiser.step()
    return model


def assert_same(model, other):
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_weights_of_one_are_plain_sgd_bit_for_bit(make_task):
    model, _ = train(make_task())
    assert_same(model, plain_sgd(make_task()))


def test_a_hypergradient_at_each_step_leaves_plain_sgd_as_it_is_bit_for_bit(make_task):
    task = make_task(dropout=0.3)
    trusted = endless_batches(task, task.train, "trusted", 4)

    def weigh(step):
        hypergradient(step, uniform(step), next(trusted))
        return uniform(step)

    torch.manual_seed(0)
    model, _ = train(task, weigh)
    torch.manual_seed(0)
    assert_same(model, plain_sgd(make_task(dropout=0.3)))


def test_weights_scale_the_losses(make_task):
    task = make_task(learning_rate=0.1, weight_decay=0.0)
    half, _ = train(dataclasses.replace(task), lambda step: uniform(step) / 2)
    same, _ = train(make_task(learning_rate=0.05, weight_decay=0.0))
    for name, value in half.state_dict().items():
        torch.testing.assert_close(value, same.state_dict()[name])


def test_weights_are_differentiated_through(make_task):
    detached, _ = train(make_task(), lambda step: step.losses.detach())
    attached, _ = train(make_task(), lambda step: step.losses)
    assert not torch.equal(detached.head.weight, attached.head.weight)


def test_losses_of_ones_own_are_trained_on_as_they_are(make_task):
    model, _ = train(make_task(), lambda step: Losses(step.losses))
    assert_same(model, plain_sgd(make_task()))
    model, _ = train(make_task(), lambda step: Losses(2 * step.losses))
    doubled, _ = train(make_task(), lambda step: 2 * uniform(step))
    assert_same(model, doubled)


def test_losses_of_ones_own_report_no_weights_but_those_that_they_bring(make_task):
    _, checkpoints = train(make_task(), lambda step: Losses(step.losses))
    assert all(checkpoint.weights is None for checkpoint in checkpoints)
    _, checkpoints = train(
        make_task(count=12), lambda step: Losses(step.losses, weights=step.batch.rows.float())
    )
    assert checkpoints[-1].weights.tolist() == list(range(12))


def test_weights_from_before_a_loss_of_ones_own_are_not_reported_as_its_own(make_task):
    _, (before, after) = train(
        make_task(epochs=2),
        lambda step: uniform(step) if step.epoch == 0 else Losses(step.losses),
    )
    assert before.weights.isfinite().all()
    assert after.weights is None


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda step: Losses(step.losses[1:]), "one loss an image, a tensor of shape"),
        (lambda step: Losses(step.losses[1:], step.losses[1:]), "one weight an image"),
        (lambda step: None, "one weight an image.*got NoneType"),
    ],
)
def test_something_else_than_one_number_an_image_is_refused(make_task, give, message):
    with pytest.raises(ContractError, match=message):
        train(make_task(), give)


def test_a_loss_of_ones_own_that_overflows_has_diverged(make_task):
    with pytest.raises(DivergedError, match="loss of epoch 0 is inf, the weights are finite"):
        train(make_task(), lambda step: Losses(step.losses + math.inf))


def test_gradients_that_a_weighter_leaves_behind_are_dropped(make_task):
    def weigh(step):
        step.losses.sum().backward(retain_graph=True)
        return uniform(step)

    model, _ = train(make_task(), weigh)
    assert_same(model, plain_sgd(make_task()))


def test_one_checkpoint_an_epoch_carries_the_loss_and_the_last_weight_of_each_row(make_task):
    task = make_task(count=12, epochs=3)
    _, checkpoints = train(task, lambda step: step.batch.rows + 100.0 * step.epoch)
    assert len(checkpoints) == 3
    for epoch, checkpoint in enumerate(checkpoints):
        assert checkpoint.weights.dtype == torch.float32
        assert checkpoint.weights.tolist() == [row + 100 * epoch for row in range(12)]
        assert math.isfinite(checkpoint.notes["loss"])


def test_rows_that_were_not_trained_on_have_no_weight(make_task):
    task = make_task(count=12)
    kept = torch.tensor([1, 4, 5, 7, 11])
    _, checkpoints = train(
        task, lambda step: step.batch.rows.double(), data=task.train.subset(kept)
    )
    weights = checkpoints[-1].weights
    assert weights[kept].tolist() == kept.tolist()
    assert int(weights.isnan().sum()) == 7


def test_data_from_elsewhere_reports_no_weights(make_task):
    task = make_task()
    foreign = Images(task.train.pixels.clone(), task.train.labels, task.train.rows)
    _, checkpoints = train(task, data=foreign)
    assert all(checkpoint.weights is None for checkpoint in checkpoints)


def test_learning_rate_follows_a_cosine_over_the_calls_own_steps(make_task):
    rates = []
    task = make_task(count=12, batch_size=4, epochs=5)

    def weigh(step):
        rates.append(step.lr)
        return uniform(step)

    train(task, weigh, epochs=2, learning_rate=0.4)
    assert rates == [cosine(0.4, number / 6) for number in range(6)]
    assert rates[0] == 0.4
    assert rates[3] == pytest.approx(0.2)


def test_constant_schedule_stays_at_the_recipes_rate(make_task):
    rates = []

    def weigh(step):
        rates.append(step.lr)
        return uniform(step)

    train(make_task(schedule="constant", learning_rate=0.03), weigh)
    assert set(rates) == {0.03}


def test_each_epoch_shows_each_image_once_in_another_order(make_task):
    seen = []

    def weigh(step):
        seen.extend(step.batch.rows.tolist())
        return uniform(step)

    train(make_task(count=12), weigh)
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12] != seen[12:]


def test_phases_have_orders_of_their_own_and_runs_repeat(make_task):
    def order(**settings):
        seen = []

        def weigh(step):
            seen.extend(step.batch.rows.tolist())
            return uniform(step)

        train(make_task(), weigh, **settings)
        return seen

    assert order() == order()
    assert order() != order(phase="second")


def test_last_batch_of_one_image_is_dropped(make_task):
    task = make_task(count=9, batch_size=4)
    sizes = []

    def weigh(step):
        sizes.append(len(step.losses))
        return uniform(step)

    train(task, weigh)
    assert sizes == [4, 4, 4, 4]
    assert task.steps_per_epoch == 2


def test_steps_of_an_epoch_are_kept_when_the_data_shrink(make_task):
    task = make_task(count=12, batch_size=4)
    few = task.train.subset(torch.tensor([0, 1, 2]))
    train(task, data=few)
    assert task.meter.steps == 2 * 3


def test_withheld_images_count_in_an_epoch(make_task):
    task = dataclasses.replace(make_task(count=6, batch_size=4), withheld=10)
    train(task)
    assert task.meter.steps == 2 * 4


def test_predictions_are_those_of_eval_mode_and_leave_the_mode_alone(make_task):
    task = make_task(count=7)
    model = task.build_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    features, logits = predict(task, model, task.train.subset(torch.tensor([4, 1, 6])), 2)
    assert model.training
    assert task.meter.forwarded == 3
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()
    expected = model(task.normalise(task.train.pixels[[4, 1, 6]]))
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(model.head(features), logits)


def test_work_is_counted(make_task):
    task = make_task(count=10, batch_size=4, epochs=3)
    train(task)
    assert (task.meter.forwarded, task.meter.backpropagated, task.meter.steps) == (30, 30, 9)


def test_model_trains_again_after_someone_judged_it(make_task):
    task = make_task()
    model = task.build_model()
    modes = []

    def weigh(step):
        modes.append(step.model.training)
        return uniform(step)

    for checkpoint in supervised(task, model, weigh):
        checkpoint.model.eval()
    assert all(modes)


def test_step_is_attached_to_the_graph_and_consistent(make_task):
    def weigh(step):
        assert step.logits.requires_grad
        assert step.features.requires_grad
        assert torch.equal(step.model.head(step.features), step.logits)
        expected = F.cross_entropy(step.logits, step.batch.labels, reduction="none")
        assert torch.equal(step.losses, expected)
        return uniform(step)

    train(make_task(), weigh)


@pytest.mark.parametrize(
    ("wrong", "what_came"),
    [
        (lambda step: step.losses.unsqueeze(1), r"\(4, 1\)"),
        (lambda step: torch.ones(()), r"\(\)"),
        (lambda step: 1.0, "float"),
        (lambda step: None, "NoneType"),
    ],
)
def test_weights_of_the_wrong_shape_are_refused(make_task, wrong, what_came):
    with pytest.raises(ContractError, match=r"shape \(4,\); got " + what_came):
        train(make_task(), wrong)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_not_finite_end_the_run(make_task, value):
    def weigh(step):
        return torch.full_like(step.losses, value if step.epoch == 1 else 1.0)

    task = make_task()
    loop = supervised(task, task.build_model(), weigh)
    next(loop)
    with pytest.raises(DivergedError, match="weights of epoch 1 are not finite"):
        next(loop)


def test_losses_that_are_not_finite_end_the_run(make_task):
    task = make_task(batch_norm=False, learning_rate=1e30)
    with pytest.raises(
        DivergedError, match=r"loss of epoch \d is (nan|inf), the weights are finite"
    ):
        train(task)


def test_endless_batches_reshuffle_at_each_pass(make_task):
    task = make_task(count=6)
    batches = rows_of(islice(endless_batches(task, task.train, "trusted", 3), 4))
    first, second = batches[0] + batches[1], batches[2] + batches[3]
    assert sorted(first) == sorted(second) == list(range(6))
    assert first != second


def test_a_set_smaller_than_the_batch_is_given_whole(make_task):
    task = make_task(count=5)
    for rows in rows_of(islice(endless_batches(task, task.train, "trusted", 50), 3)):
        assert sorted(rows) == list(range(5))


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (1, 4), (4, 1)])
def test_batches_of_fewer_than_two_images_are_refused_at_once(make_task, count, batch_size):
    task = make_task()
    images = task.train.subset(torch.arange(count))
    with pytest.raises(ContractError, match=f"trusted: .*at least 2 images, got {count} images"):
        endless_batches(task, images, "trusted", batch_size)


def test_batches_carry_the_labels_of_the_view(make_task):
    task = make_task(count=6)
    changed = task.train.relabelled(torch.tensor([2]), torch.tensor([1]))
    for batch in islice(endless_batches(task, changed, "trusted", 3), 2):
        assert torch.equal(batch.labels, changed.labels[batch.rows])
        assert torch.equal(batch.images, task.normalise(task.train.pixels[batch.rows]))


def test_positions_of_a_single_image_are_refused_at_once(make_task):
    with pytest.raises(ContractError, match="at least 2 images, got 1 images"):
        endless_positions(make_task(), 1, "purpose", 4)
