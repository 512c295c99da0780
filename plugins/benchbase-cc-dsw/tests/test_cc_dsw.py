import dataclasses
import math

import pytest
import torch
from benchbase_cc_dsw import CCDSW, CCDSWBump, correlator
from benchbase_cc_dsw.correlations import unit

from benchbase.api import Need
from benchbase.errors import DivergedError, UsageError
from benchbase.kit.loops import forward, load_batch
from benchbase.options import construct
from benchbase.testing.conformance import parametrize_with_checks

TRUSTED = frozenset({Need.TRUSTED})


@parametrize_with_checks([CCDSW, CCDSWBump])
def test_it_keeps_the_contract(weighter, check):
    check(weighter)


SETTINGS = [
    CCDSW(fusion="two_stage"),
    CCDSW(fusion="two_stage", embedding=8, class_input=True),
    CCDSW(spaces="feature", centre="row"),
    CCDSW(spaces="label", operator="agreement", fusion="two_stage"),
    CCDSW(other="pooled"),
    CCDSW(source="batch"),
    CCDSW(source="queue"),
    CCDSW(source="meta"),
    CCDSW(class_input=True, normalisation="sum", preset="practical"),
]


@pytest.mark.parametrize("weighter", SETTINGS)
def test_every_option_trains_and_repeats_itself(toy_task, weighter):
    runs = [list(weighter.fit(toy_task(needs=TRUSTED)))[-1] for _ in range(2)]
    for name, value in runs[0].model.state_dict().items():
        assert value.isfinite().all(), name
        assert torch.equal(value, runs[1].model.state_dict()[name]), name
    assert torch.equal(runs[0].weights, runs[1].weights)
    default = list(CCDSW().fit(toy_task(needs=TRUSTED)))[-1]
    assert not torch.equal(runs[0].weights, default.weights)


# -- signals and memory -------------------------------------------------------------------------


def hand_step(toy_step, seed=0, labels=(0, 0, 1, 1, 2, 2), classes=3, epoch=0):
    stream = torch.Generator().manual_seed(seed)
    features = torch.rand(len(labels), 5, generator=stream).requires_grad_()
    logits = torch.randn(len(labels), classes, generator=stream).requires_grad_()
    return toy_step(features, logits, torch.tensor(labels), epoch)


def class_means(rows, labels, classes=3):
    return torch.stack([rows[labels == label].mean(0) for label in range(classes)])


def test_signals_are_the_pairs_of_both_spaces_then_the_class_and_without_gradient(
    toy_task, toy_step
):
    step = hand_step(toy_step)
    count, describe = CCDSW(class_input=True).describe(toy_task())
    signals = describe(step)
    assert count == 7
    assert signals.shape == (6, 7)
    assert not signals.requires_grad
    pairs = [CCDSW(spaces=space).describe(toy_task())[1](step) for space in ("feature", "label")]
    assert torch.equal(signals[:, :4], torch.cat(pairs, dim=1))
    assert torch.equal(signals[:, 4:], torch.eye(3)[step.batch.labels])


def test_memory_starts_with_the_first_means_and_moves_by_a_tenth(toy_task, toy_step):
    _, describe = CCDSW().describe(toy_task())
    first = hand_step(toy_step)
    second = hand_step(toy_step, seed=1, labels=(0, 0, 0, 1, 1, 1))  # without the third class
    describe(first)
    before = [memory.means for memory in describe.memories]
    for rows, means in zip(CCDSW().rows(first.features, first.logits), before, strict=True):
        torch.testing.assert_close(means, class_means(rows, first.batch.labels).detach())
    describe(second)
    for rows, old, memory in zip(
        CCDSW().rows(second.features, second.logits), before, describe.memories, strict=True
    ):
        batch = class_means(rows, second.batch.labels).detach()
        torch.testing.assert_close(memory.means[:2], 0.9 * old[:2] + 0.1 * batch[:2])
        assert torch.equal(memory.means[2], old[2])


def test_signals_use_the_memory_as_it_was_before_the_batch(toy_task, toy_step):
    _, with_memory = CCDSW().describe(toy_task())
    _, pure_batch = CCDSW(source="batch").describe(toy_task())
    step, later = hand_step(toy_step), hand_step(toy_step, seed=1)
    torch.testing.assert_close(with_memory(step), pure_batch(step))
    assert not torch.allclose(with_memory(later), pure_batch(later))


def test_memory_sees_the_training_pass_only(toy_task):
    made = []

    class Watched(CCDSW):
        def describe(self, task):
            made.append(super().describe(task))
            return made[-1]

    task = toy_task(needs=TRUSTED)
    weigh = Watched().prepare(task)
    batch = load_batch(task, task.train, torch.arange(40), task.rng("augmentation"))
    step = forward(task, task.build_model(), batch, 0.05, 0)
    weigh(step)  # virtual step, trusted pass, tangent pass
    [(_, describe)] = made
    for rows, memory in zip(
        CCDSW().rows(step.features, step.logits), describe.memories, strict=True
    ):
        torch.testing.assert_close(memory.means, class_means(rows, batch.labels).detach())


def test_a_queue_holds_the_last_images_of_each_class(toy_task, toy_step, monkeypatch):
    monkeypatch.setattr(correlator, "QUEUE_LENGTH", 3)
    _, describe = CCDSW(source="queue").describe(toy_task())
    labels = [(0, 0, 1, 0, 0, 0), (1, 0, 1, 1, 1, 2), (2, 2, 2, 2, 2, 2)]
    steps = [hand_step(toy_step, seed, those) for seed, those in enumerate(labels)]
    rows, classes = torch.zeros(0, 5), torch.zeros(0, dtype=torch.long)
    for step in steps:
        describe(step)
        rows = torch.cat([rows, unit(step.features.detach())])
        classes = torch.cat([classes, step.batch.labels])
        memory = describe.memories[0]
        for label in range(3):
            held = rows[classes == label][-3:]
            assert bool(memory.seen[label]) is (len(held) > 0)
            if len(held):
                torch.testing.assert_close(memory.means[label], held.mean(0))


def test_trusted_images_are_remembered_as_the_model_sees_them_at_each_epoch(toy_task, toy_step):
    task = toy_task(needs=TRUSTED)
    _, describe = CCDSW(source="meta").describe(task)

    def expected(model):
        model.eval()
        with torch.no_grad():
            rows = unit(model.features(task.normalise(task.trusted.pixels)))
        model.train()
        return class_means(rows, task.trusted.labels)

    def step_at(epoch):
        batch = load_batch(task, task.train, torch.arange(12), task.rng("augmentation"))
        return forward(task, model, batch, 0.05, epoch)

    model = task.build_model()
    before = model.get_buffer("body.1.running_mean").clone()
    describe(step := step_at(0))
    first = expected(model)
    torch.testing.assert_close(describe.memories[0].means, first)
    assert model.training
    assert not torch.equal(
        model.get_buffer("body.1.running_mean"), before
    )  # the training pass moved it
    with torch.no_grad():
        model.get_parameter("body.3.weight").add_(0.1)
    describe(step)
    torch.testing.assert_close(describe.memories[0].means, first)
    describe(step_at(1))
    torch.testing.assert_close(describe.memories[0].means, expected(model))
    assert not torch.allclose(describe.memories[0].means, first)


def test_the_bump_is_highest_where_both_correlations_agree(toy_task, toy_step):
    step = hand_step(toy_step)
    weights = CCDSWBump(width=0.5).prepare(toy_task())(step)
    signals = CCDSW().describe(toy_task())[1](step)
    margin = (signals[:, 0] - signals[:, 1] + signals[:, 2] - signals[:, 3]) / 2
    torch.testing.assert_close(weights, torch.exp(-2 * margin**2))
    assert weights.argmax() == margin.abs().argmin()


# -- degenerate tasks and batches ---------------------------------------------------------------


def test_what_is_unknown_gets_the_running_mean(toy_task, toy_step):
    _, describe = CCDSW(source="batch").describe(toy_task())
    lonely = hand_step(toy_step, labels=(0, 0, 1, 1, 1, 2))
    signals = describe(lonely)
    torch.testing.assert_close(signals[5, [0, 2]], signals[:5, [0, 2]].mean(0))
    one_class = hand_step(toy_step, seed=1, labels=(1, 1, 1, 1, 1, 1))
    known = torch.cat([signals[:, 1:2], signals[:, 3:4]], dim=1)
    torch.testing.assert_close(describe(one_class)[:, [1, 3]], known.mean(0).expand(6, 2))


def test_a_first_batch_of_one_image_is_neutral(toy_task, toy_step):
    _, describe = CCDSW().describe(toy_task())
    single = hand_step(toy_step, labels=(1,))
    assert torch.equal(describe(single), torch.zeros(1, 4))
    # The next one finds it in the memory.
    features, predictions = CCDSW().rows(single.features, single.logits)
    again = hand_step(toy_step, seed=1, labels=(1,))
    rows = CCDSW().rows(again.features, again.logits)
    signals = describe(again)
    torch.testing.assert_close(signals[0, 0], (rows[0] @ features.T).squeeze())
    torch.testing.assert_close(signals[0, 2], (rows[1] @ predictions.T).squeeze())


@pytest.mark.parametrize("operator", ["cosine", "agreement"])
def test_logits_that_are_not_finite_leave_no_trace_in_signals_and_memory(
    toy_task, toy_step, operator
):
    _, describe = CCDSW(operator=operator).describe(toy_task())
    step = hand_step(toy_step)
    logits, features = step.logits.detach().clone(), step.features.detach().clone()
    logits[0], features[2, 1] = float("nan"), float("inf")
    signals = describe(toy_step(features, logits, step.batch.labels))
    assert signals.isfinite().all()
    assert all(memory.means.isfinite().all() for memory in describe.memories)


@pytest.mark.parametrize("weighter", [CCDSW(), CCDSWBump()], ids=lambda weighter: weighter.name)
def test_a_run_that_diverges_is_reported(toy_task, weighter):
    task = toy_task(needs=TRUSTED)
    wild = dataclasses.replace(task.recipe, learning_rate=1e30)
    with pytest.raises(DivergedError, match="loss"):
        list(weighter.fit(dataclasses.replace(task, recipe=wild)))


def test_pearson_in_the_space_of_predictions_is_refused():
    with pytest.raises(UsageError, match="centre=row is for features"):
        construct(CCDSW, {"spaces": "label", "centre": "row"})


def test_one_class_is_refused(toy_task):
    with pytest.raises(UsageError, match="expected two or more, got 1"):
        CCDSW().describe(dataclasses.replace(toy_task(), num_classes=1))


@pytest.mark.parametrize("settings", [{"source": "batch"}, {"kappa": 0.0}])
def test_a_rare_class_without_a_memory_is_warned_of(toy_task, settings):
    rare = toy_task(per_class=40, imbalance=40.0, noise=0.0)
    with pytest.warns(RuntimeWarning, match="images of the rarest class"):
        CCDSW(**settings).describe(rare)
    CCDSW().describe(rare)  # with a memory all is well, and a warning would be an error here
    CCDSW(**settings).describe(toy_task())


def test_trusted_images_without_a_class_are_warned_of(toy_task):
    task = toy_task(needs=TRUSTED)
    partial = task.trusted.subset(task.trusted.labels != 2)
    task = dataclasses.replace(task, grants=dataclasses.replace(task.grants, trusted=partial))
    with (
        pytest.warns(RuntimeWarning, match="no trusted image is of class 2"),
        pytest.warns(RuntimeWarning, match="lack a class"),
    ):
        weights = list(CCDSW(source="meta").fit(task))[-1].weights
    assert weights.isfinite().all()


@pytest.mark.parametrize("weighter", [CCDSW(), CCDSW(fusion="two_stage"), CCDSWBump()])
@pytest.mark.parametrize(
    "settings",
    [
        {"num_classes": 2},
        {"channels": 1},
        {"absent": 2, "noise": 0.0},
        {"per_class": 11},
        {"per_class": 100, "imbalance": 100.0, "noise": 0.0},
    ],
    ids=["two classes", "one channel", "an absent class", "one image over", "a long tail of 100"],
)
def test_odd_data_are_weighed(toy_task, weighter, settings):
    task = toy_task(needs=TRUSTED, **settings)
    *_, last = weighter.fit(task)
    seen = last.weights[~last.weights.isnan()]
    assert len(seen) >= len(task.train) - 1
    assert ((seen >= 0) & (seen <= 1)).all()
    assert math.isfinite(last.notes["loss"])


# -- behaviour ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weighter", "seed"), [(CCDSW(), 0), (CCDSW(), 1), (CCDSW(fusion="two_stage"), 0)]
)
def test_wrong_labels_get_low_weights(noisy_mixture, weighter, seed):
    assert noisy_mixture(seed=seed).weight_auroc(weighter) > 0.8


def test_signals_without_meaning_tell_nothing_of_wrong_labels(noisy_mixture):
    class Blind(CCDSW):
        def describe(self, task):
            stream = task.rng("noise")
            return 4, lambda step: torch.rand(len(step.losses), 4, generator=stream)

    assert noisy_mixture(seed=0).weight_auroc(Blind()) == pytest.approx(0.5, abs=0.05)


def test_the_unsigned_bump_cannot_tell_wrong_labels_from_right_ones(noisy_mixture):
    assert noisy_mixture(seed=0).weight_auroc(CCDSWBump()) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("weighter", [CCDSW(), CCDSWBump()], ids=lambda each: each.name)
def test_real_images_without_noise_cost_at_most_ten_points(points_behind_unweighted, weighter):
    assert points_behind_unweighted(weighter) < 10
