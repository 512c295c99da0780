"""The loop: who is labelled when, what a step does, what is reported."""

import dataclasses
import math
from itertools import islice

import pytest
import torch
from benchbase_dsr_pgc import DSRPGC, DSRPGCE, FixMatch, MeanTeacher
from benchbase_dsr_pgc.loss_split import LossSplit
from benchbase_dsr_pgc.losses import Reweighting, ramp
from benchbase_dsr_pgc.training import HiddenImages, Tally, Training, Views
from torch.nn import functional as F

from benchbase.api import Images
from benchbase.errors import ContractError, DivergedError
from benchbase.kit.descent import Descent
from benchbase.kit.loops import endless_batches

SEMI_SUPERVISED = [DSRPGC, DSRPGCE, MeanTeacher, FixMatch]
each_method = pytest.mark.parametrize("method", SEMI_SUPERVISED, ids=lambda it: it.name)


def trace(task, method):
    """Every parameter after every epoch, in one row each."""
    return [
        torch.cat([value.flatten().clone() for value in checkpoint.model.parameters()])
        for checkpoint in method.fit(task)
    ]


def equal(first, second):
    return all(torch.equal(*pair) for pair in zip(first, second, strict=True))


# -- labels -------------------------------------------------------------------------------------


def test_unlabelled_images_have_no_field_for_a_label():
    assert {field.name for field in dataclasses.fields(HiddenImages)} == {"pixels", "rows"}
    assert {field.name for field in dataclasses.fields(Views)} == {"images", "weak", "strong"}


@each_method
def test_labels_of_unlabelled_images_are_never_read(make_task, method):
    task = make_task()
    hidden = task.unlabelled
    garbage = hidden.relabelled(torch.arange(len(hidden)), torch.arange(len(hidden)) * 97)
    other = make_task()
    other = dataclasses.replace(other, grants=dataclasses.replace(other.grants, unlabelled=garbage))
    assert equal(trace(task, method()), trace(other, method()))


def test_labels_that_are_not_believed_play_no_part(make_task, monkeypatch):
    """With the split fixed and no warm-up to learn from, they may be anything."""
    mask = torch.arange(72) % 3 > 0
    monkeypatch.setattr(LossSplit, "believed", lambda split: mask)
    monkeypatch.setattr(Training, "supervised_step", lambda self, batch: torch.zeros(()))
    task, other = make_task(unlabelled=False), make_task(unlabelled=False)
    zeros = torch.zeros(24, dtype=torch.long)
    garbage = other.train.relabelled((~mask).nonzero().squeeze(1), zeros)
    assert not torch.equal(garbage.labels, task.train.labels)
    other = dataclasses.replace(other, train=garbage)
    assert equal(trace(task, DSRPGC()), trace(other, DSRPGC()))


@pytest.mark.parametrize("method", [DSRPGCE, DSRPGC], ids=lambda it: it.name)
def test_without_its_losses_the_method_is_cross_entropy_on_the_labelled(make_task, method):
    task = make_task(plain=True, epochs=3)
    (*_, found) = trace(task, method(lambda_consistency=0.0, lambda_contrast=0.0))
    task = make_task(plain=True, epochs=3)
    model = task.build_model()
    descent = Descent(task, model, 3 * task.steps_per_epoch)
    batches = endless_batches(task, task.train, "labelled from epoch 0", 4)
    for batch in islice(batches, 3 * task.steps_per_epoch):
        descent.step(F.cross_entropy(model(batch.images), batch.labels), len(batch.labels))
    expected = torch.cat([value.flatten() for value in model.parameters()])
    torch.testing.assert_close(found, expected)


# -- steps --------------------------------------------------------------------------------------


def test_a_mean_teacher_step_is_the_plain_one(make_task, ready):
    task = make_task(batch_size=16)
    state = ready(task)
    training, step = state.training, state.step
    student = task.build_model()
    student.load_state_dict(training.student.network.state_dict())
    with torch.no_grad():
        targets = training.averaged.network(step.views.weak).softmax(1)
    logits = student.train()(torch.cat((step.labelled.images, step.views.strong)))
    distance = (logits[4:].softmax(1) - targets).square().sum(1).mean()
    loss = F.cross_entropy(logits[:4], step.labelled.labels) + ramp(0) * distance
    before = {name: value.clone() for name, value in student.state_dict().items()}
    Descent(task, student, 10).step(loss, 16)

    objective = MeanTeacher().objective(task, training)
    found, _ = training.joint_step(step.labelled, step.views, objective)
    torch.testing.assert_close(found, loss.detach())
    for name, value in student.named_parameters():
        torch.testing.assert_close(training.student.network.get_parameter(name), value)
        teacher = training.averaged.network.get_parameter(name)
        torch.testing.assert_close(teacher, (before[name] + value.detach()) / 2)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_fixmatch_learns_hard_labels_of_sure_weak_views(make_task, ready, threshold):
    task = make_task(batch_size=16)
    state = ready(task)
    buffers = [value.clone() for value in state.training.student.buffers()]
    objective = FixMatch(threshold=threshold).objective(task, state.training)
    loss, weights = objective(state.step)
    assert all(map(torch.equal, buffers, state.training.student.buffers()))
    logits, _ = state.training.student(state.step.views.weak)
    sureness, labels = logits.softmax(1).max(1)
    assert torch.equal(weights, (sureness >= threshold).float())
    losses = F.cross_entropy(state.step.logits, labels, reduction="none")
    torch.testing.assert_close(loss, (losses * (sureness >= threshold)).sum() / 12)


def test_neither_teacher_nor_queue_nor_weights_have_a_gradient(make_task, ready):
    task = make_task(batch_size=16)
    state = ready(task)
    objective = DSRPGC().objective(task, state.training)
    assert isinstance(objective, Reweighting)
    teacher = state.training.averaged
    teacher.requires_grad_(requires_grad=True)
    loss, weights = objective(state.step)
    loss.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    queue = objective.queue
    assert not any(each.requires_grad for each in (queue.keys, queue.weights, weights))


def test_the_queue_gets_what_the_teacher_saw_in_weak_views_and_the_weights(make_task, ready):
    task = make_task(batch_size=16)
    state = ready(task)
    objective = DSRPGCE().objective(task, state.training)
    assert isinstance(objective, Reweighting)
    _, weights = objective(state.step)
    with torch.no_grad():
        logits, keys = state.training.averaged(state.step.views.weak)
    queue = objective.queue
    assert torch.equal(queue.keys[:12], keys)
    assert torch.equal(queue.labels[:12], logits.argmax(1))
    assert torch.equal(queue.weights[:12], weights)
    assert torch.equal(queue.images[:12], state.step.views.images)


def test_views_are_the_two_augmentations_of_the_same_images(make_task):
    task = dataclasses.replace(
        make_task(batch_size=16),
        augment=lambda pixels, stream: pixels.flip(2),
        augment_strongly=lambda pixels, stream: pixels.flip(3),
    )
    hidden = task.train.subset(torch.arange(1, 72, 2))
    views = next(Training(task, HiddenImages(hidden.pixels, hidden.rows)).views())
    pixels = task.train.pixels[hidden.rows[views.images]]
    torch.testing.assert_close(views.weak, task.normalise(pixels.flip(2)))
    torch.testing.assert_close(views.strong, task.normalise(pixels.flip(3)))


def test_a_step_backpropagates_one_batch_a_quarter_of_it_labelled(make_task):
    task = dataclasses.replace(make_task(per_class=70))
    recipe = dataclasses.replace(task.recipe, batch_size=50)
    task = dataclasses.replace(task, recipe=recipe)
    training = Training(task, HiddenImages(task.train.pixels, task.train.rows))
    assert (training.labelled_size, training.hidden_size) == (12, 38)
    views = training.views()
    seen = list(islice(views, 7))
    assert {len(each.images) for each in seen} == {38}
    assert len(torch.cat([each.images for each in seen[:5]]).unique()) == 5 * 38
    labelled = next(endless_batches(task, task.train, "labelled", 12))
    training.joint_step(labelled, seen[0], DSRPGCE().objective(task, training))
    assert task.meter.backpropagated == 50
    assert task.meter.forwarded == 50 + 38


def test_too_few_images_to_use_without_labels_are_refused(make_task):
    task = make_task()
    one = task.train.subset(torch.tensor([3]))
    training = Training(task, HiddenImages(one.pixels, one.rows))
    with pytest.raises(ContractError, match="at least 2 images to use without labels, got 1"):
        next(training.views())


# -- the schedule -------------------------------------------------------------------------------


@each_method
def test_where_labels_are_withheld_all_given_ones_are_used_from_the_start(make_task, method):
    task = make_task(epochs=3)
    for checkpoint in method().fit(task):
        assert torch.equal(checkpoint.weights, torch.ones(len(task.train)))
        assert checkpoint.notes["share of labels used"] == 1
        assert "mean unlabelled weight" in checkpoint.notes
    assert task.meter.steps == 3 * task.steps_per_epoch


@each_method
def test_where_all_labels_are_given_a_split_follows_the_warm_up(make_task, method):
    task = make_task(unlabelled=False, epochs=5, per_class=60)
    checkpoints = [
        (checkpoint.weights.clone(), checkpoint.notes) for checkpoint in method().fit(task)
    ]
    assert len(checkpoints) == 5
    assert task.meter.steps == 5 * task.steps_per_epoch
    warm_up, *others = checkpoints
    assert (warm_up[0] == 1).all()
    assert warm_up[1].keys() == {"loss", "share of labels used"}
    for weights, notes in others:
        assert set(weights.unique().tolist()) == {0.0, 1.0}
        assert notes["share of labels used"] == pytest.approx(weights.mean().item())
        assert 0 <= notes["effective share of unlabelled"] <= 1 + 1e-6


@pytest.mark.parametrize(
    ("epochs", "warm_up", "counts"), [(10, 0.2, (2, 8)), (40, 0.2, (8, 16)), (1, 0.2, (1, 0))]
)
def test_warm_up_and_splits_scale_with_the_epochs(make_task, monkeypatch, epochs, warm_up, counts):
    happened = []

    def noting(name, result):
        def method(self, *arguments):
            happened.append(name)
            return result

        return method

    monkeypatch.setattr(Training, "supervised_step", noting("warm", torch.zeros(())))
    monkeypatch.setattr(Training, "joint_step", noting("joint", (torch.zeros(()), torch.ones(2))))
    monkeypatch.setattr(LossSplit, "look", noting("look", None))
    monkeypatch.setattr(LossSplit, "believed", noting("split", torch.arange(72) % 2 == 0))
    first, splits = counts
    task = make_task(unlabelled=False, epochs=epochs)
    assert len(list(DSRPGCE(warm_up=warm_up).fit(task))) == epochs
    assert happened.count("warm") == first * task.steps_per_epoch
    assert happened.count("joint") == (epochs - first) * task.steps_per_epoch
    assert happened.count("split") == splits


def test_the_ramp_takes_three_tenths_of_the_run_after_the_warm_up(make_task):
    task = make_task(epochs=10, batch_size=16)
    training = Training(task, HiddenImages(task.train.pixels, task.train.rows))
    labelled = endless_batches(task, task.train, "labelled", 16)
    seen = []

    def objective(step):
        seen.append((step.number, step.progress))
        return step.logits.sum() * 0, torch.ones(12)

    for _ in range(10):
        training.supervised_step(next(labelled))
    views = training.views()
    for _ in range(16):
        training.joint_step(next(labelled), next(views), objective)
    assert training.total_steps == 50
    assert seen[0] == (10, 0)
    assert seen[15] == (25, 1)


@pytest.mark.parametrize("unlabelled", [False, True])
def test_without_a_rate_the_corrected_method_is_the_entropy_method(make_task, unlabelled):
    tasks = [make_task(unlabelled=unlabelled, epochs=3) for _ in range(2)]
    first, second = map(trace, tasks, (DSRPGC(beta=0.0), DSRPGCE()))
    assert equal(first, second)
    assert tasks[0].meter == tasks[1].meter
    assert not equal(first, trace(make_task(unlabelled=unlabelled, epochs=3), DSRPGC()))


@each_method
def test_a_run_with_a_split_repeats_bit_for_bit(make_task, method):
    first, second = (trace(make_task(unlabelled=False, epochs=3), method()) for _ in range(2))
    assert equal(first, second)


def test_notes_sum_up_an_epoch():
    tally = Tally(torch.device("cpu"))
    tally.add(torch.tensor(2.0), torch.tensor([1.0, 0.0, 0.05]))
    tally.add(torch.tensor(4.0), torch.tensor([0.5]))
    notes = tally.notes()
    assert notes["loss"] == 3
    assert notes["mean unlabelled weight"] == pytest.approx(1.55 / 4)
    assert notes["effective share of unlabelled"] == pytest.approx(1.55**2 / 1.2525 / 4)
    assert notes["share of unlabelled weights below 0.1"] == 0.5


@pytest.mark.parametrize("unlabelled", [False, True])
def test_a_run_that_diverges_says_so(make_task, unlabelled):
    task = make_task(unlabelled=unlabelled, epochs=3)
    recipe = dataclasses.replace(task.recipe, learning_rate=1e20)
    with pytest.raises(DivergedError, match="lower the learning rate"):
        list(DSRPGCE().fit(dataclasses.replace(task, recipe=recipe)))


# -- odd data -----------------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize(
    "settings",
    [
        {"num_classes": 2, "channels": 1},
        {"absent": 1},
        {"per_class": 11},
        {"per_class": 100, "imbalance": 100.0},
        {"per_class": 2, "num_classes": 2},
        {"per_class": 5, "batch_size": 64},
    ],
    ids=str,
)
def test_odd_data_are_split_and_learned(make_task, method, settings):
    task = make_task(unlabelled=False, epochs=3, noise=0.0, **settings)
    for checkpoint in method().fit(task):
        assert math.isfinite(checkpoint.notes["loss"])
        assert checkpoint.weights.shape == (len(task.train),)
        for label in task.train.labels.unique():
            own = task.train.labels == label
            assert checkpoint.weights[own].sum() >= min(5, own.sum())


def test_images_are_views_everywhere(make_task):
    """The judged harness hands over whole sets; a view of one must do as well."""
    task = make_task(unlabelled=False, epochs=2)
    view = task.train.subset(torch.arange(1, 72, 2))
    assert isinstance(view, Images)
    (*_, last) = DSRPGC().fit(dataclasses.replace(task, train=view))
    assert last.weights.shape == (36,)
