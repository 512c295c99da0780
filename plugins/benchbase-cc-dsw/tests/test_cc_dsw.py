import dataclasses
import functools
import math

import pytest
import torch
from benchbase_cc_dsw import CCDSW, CCDSWBump
from benchbase_cc_dsw.correlations import correlations

from benchbase.api import Need
from benchbase.errors import DivergedError
from benchbase.kit.loops import forward, load_batch
from benchbase.kit.memory import ClassMeans, unit
from benchbase.testing import toy
from benchbase.testing.conformance import parametrize_with_checks

TRUSTED = frozenset({Need.TRUSTED})


@parametrize_with_checks([CCDSW])
def test_it_keeps_the_contract(weighter, check):
    check(weighter)


@pytest.mark.slow  # it shares its method's loop
@parametrize_with_checks([CCDSWBump])
def test_its_control_keeps_the_contract(weighter, check):
    check(weighter)


SETTINGS = [
    CCDSW(fusion="two_stage"),
    CCDSW(fusion="two_stage", class_input=True),
    CCDSW(spaces="feature"),
    CCDSW(spaces="label", operator="agreement", fusion="two_stage"),
    CCDSW(other="pooled"),
    CCDSW(kappa=0.0),
    CCDSW(source="meta"),
    CCDSW(class_input=True, normalisation="sum", meta_from=0.05, floor=0.01, clip=10.0),
]


@functools.cache
def default_weights():
    *_, last = CCDSW().fit(toy.toy_task(needs=TRUSTED))
    return last.weights


@pytest.mark.parametrize("weighter", SETTINGS)
def test_every_option_trains_and_repeats_itself(toy_task, weighter):
    runs = [list(weighter.fit(toy_task(needs=TRUSTED)))[-1] for _ in range(2)]
    for name, value in runs[0].model.state_dict().items():
        assert value.isfinite().all(), name
        assert torch.equal(value, runs[1].model.state_dict()[name]), name
    assert torch.equal(runs[0].weights, runs[1].weights)
    assert not torch.equal(runs[0].weights, default_weights())


# -- signals and memory -------------------------------------------------------------------------


def hand_step(toy_step, seed=0, labels=(0, 0, 1, 1, 2, 2), classes=3, epoch=0):
    stream = torch.Generator().manual_seed(seed)
    features = torch.rand(len(labels), 5, generator=stream).requires_grad_()
    logits = torch.randn(len(labels), classes, generator=stream).requires_grad_()
    return toy_step(features, logits, torch.tensor(labels), epoch)


def class_means(rows, labels, classes=3):
    return torch.stack([rows[labels == label].mean(0) for label in range(classes)])


def compared(step, memories):
    """Give the signals of a step by memories that are given."""
    spaces = CCDSW().rows(step.features.detach(), step.logits.detach())
    pairs = [
        correlations(rows, step.batch.labels, memory.means, memory.seen.to(rows))
        for rows, memory in zip(spaces, memories, strict=True)
    ]
    assert all(known.all() for _, known in pairs)
    return torch.cat([values for values, _ in pairs], dim=1)


def memories_of(*steps):
    """Give a memory of each space that has seen the steps."""
    memories = [ClassMeans(3, width, torch.device("cpu")) for width in (5, 3)]
    for step in steps:
        spaces = CCDSW().rows(step.features, step.logits)
        for rows, memory in zip(spaces, memories, strict=True):
            memory.update(rows, step.batch.labels)
    return memories


def test_signals_are_the_pairs_of_both_spaces_without_gradient(toy_task, toy_step):
    step = hand_step(toy_step)
    count, describe = CCDSW().describe(toy_task())
    signals = describe(step)
    assert count == 4
    assert signals.shape == (6, 4)
    assert not signals.requires_grad
    pairs = [CCDSW(spaces=space).describe(toy_task())[1](step) for space in ("feature", "label")]
    assert torch.equal(signals, torch.cat(pairs, dim=1))


def test_each_batch_is_described_by_the_memory_of_those_before_it(toy_task, toy_step):
    _, describe = CCDSW().describe(toy_task())
    first, third = hand_step(toy_step), hand_step(toy_step, seed=2)
    second = hand_step(toy_step, seed=1, labels=(0, 0, 0, 1, 1, 1))  # without the third class
    torch.testing.assert_close(describe(first), compared(first, memories_of()))
    torch.testing.assert_close(describe(second), compared(second, memories_of(first)))
    torch.testing.assert_close(describe(third), compared(third, memories_of(first, second)))


def test_without_a_share_the_memory_does_not_count(toy_task, toy_step):
    _, with_memory = CCDSW().describe(toy_task())
    _, pure_batch = CCDSW(kappa=0.0).describe(toy_task())
    step, later = hand_step(toy_step), hand_step(toy_step, seed=1)
    torch.testing.assert_close(with_memory(step), pure_batch(step))
    assert not torch.allclose(with_memory(later), pure_batch(later))
    torch.testing.assert_close(pure_batch(later), compared(later, memories_of()))


def test_memory_sees_the_training_pass_only(toy_task):
    task = toy_task(needs=TRUSTED)
    made = []

    class Watched(CCDSW):
        def describe(self, task):
            count, describe = super().describe(task)
            made.append(describe)
            return count, describe

    weigh = Watched().prepare(task)
    _, alone = CCDSW().describe(task)
    model = task.build_model()

    def step_on(rows):
        batch = load_batch(task, task.train, rows, task.rng("augmentation"))
        return forward(task, model, batch, 0.05, 0)

    step, later = step_on(torch.arange(40)), step_on(torch.arange(20, 60))
    weigh(step)  # virtual step, trusted pass, tangent pass
    alone(step)
    (describe,) = made
    assert torch.equal(describe(later), alone(later))


def test_trusted_images_are_remembered_as_the_model_sees_them_at_each_epoch(toy_task):
    task = toy_task(needs=TRUSTED)
    _, describe = CCDSW(source="meta", spaces="feature").describe(task)
    model = task.build_model()

    def step_at(epoch):
        batch = load_batch(task, task.train, torch.arange(12), task.rng("augmentation"))
        return forward(task, model, batch, 0.05, epoch)

    def expected(step):
        model.eval()
        with torch.no_grad():
            trusted = unit(model.features(task.normalise(task.trusted.pixels)))
        model.train()
        means = class_means(trusted, task.trusted.labels)
        rows = unit(step.features.detach())
        return correlations(rows, step.batch.labels, means, torch.ones(3))[0]

    before = model.get_buffer("body.1.running_mean").clone()
    step = step_at(0)
    first = expected(step)
    torch.testing.assert_close(describe(step), first)
    assert model.training
    assert not torch.equal(
        model.get_buffer("body.1.running_mean"), before
    )  # the training pass moved it
    with torch.no_grad():
        model.get_parameter("body.3.weight").add_(0.1)
    torch.testing.assert_close(describe(step), first)
    later = step_at(1)
    torch.testing.assert_close(describe(later), expected(later))


def test_the_bump_is_highest_where_both_correlations_agree(toy_task, toy_step):
    step = hand_step(toy_step)
    weights = CCDSWBump().prepare(toy_task())(step)
    signals = CCDSW().describe(toy_task())[1](step)
    margin = (signals[:, 0] - signals[:, 1] + signals[:, 2] - signals[:, 3]) / 2
    torch.testing.assert_close(weights, torch.exp(-8 * margin**2))
    assert weights.argmax() == margin.abs().argmin()


# -- degenerate tasks and batches ---------------------------------------------------------------


def test_what_is_unknown_gets_the_running_mean(toy_task, toy_step):
    _, describe = CCDSW(kappa=0.0).describe(toy_task())
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
    assert describe(hand_step(toy_step, seed=1)).isfinite().all()


@pytest.mark.parametrize("weighter", [CCDSW(), CCDSWBump()], ids=lambda weighter: weighter.name)
def test_a_run_that_diverges_is_reported(toy_task, weighter):
    task = toy_task(needs=TRUSTED)
    wild = dataclasses.replace(task.recipe, learning_rate=1e30)
    with pytest.raises(DivergedError, match="loss"):
        list(weighter.fit(dataclasses.replace(task, recipe=wild)))


def test_a_rare_class_without_a_memory_is_warned_of(toy_task):
    rare = toy_task(per_class=40, imbalance=40.0, noise=0.0)
    with pytest.warns(RuntimeWarning, match="images of the rarest class"):
        CCDSW(kappa=0.0).describe(rare)
    CCDSW().describe(rare)  # with a memory all is well, and a warning would be an error here
    CCDSW(kappa=0.0).describe(toy_task())


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


@pytest.mark.slow  # of each variant; the contract's checks ask it of the defaults
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


def test_wrong_labels_get_low_weights(noisy_mixture):
    assert noisy_mixture(count=1500).weight_auroc(CCDSW()) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weighter", "seed"), [(CCDSW(), 0), (CCDSW(), 1), (CCDSW(fusion="two_stage"), 0)]
)
def test_wrong_labels_get_low_weights_among_more_images(noisy_mixture, weighter, seed):
    assert noisy_mixture(seed=seed).weight_auroc(weighter) > 0.8


def test_signals_without_meaning_tell_nothing_of_wrong_labels(noisy_mixture):
    class Blind(CCDSW):
        def describe(self, task):
            stream = task.rng("noise")
            return 4, lambda step: torch.rand(len(step.losses), 4, generator=stream)

    assert noisy_mixture(count=1500).weight_auroc(Blind()) == pytest.approx(0.5, abs=0.1)


def test_the_unsigned_bump_cannot_tell_wrong_labels_from_right_ones(noisy_mixture):
    assert noisy_mixture(count=1500).weight_auroc(CCDSWBump()) == pytest.approx(0.5, abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("weighter", [CCDSW(), CCDSWBump()], ids=lambda each: each.name)
def test_real_images_without_noise_cost_at_most_ten_points(points_behind_unweighted, weighter):
    assert points_behind_unweighted(weighter) < 10
