import dataclasses
import functools
import math

import pytest
import torch
from benchbase_dlsa_sw import DLSASW, DLSASWFixed, distances, fold

from benchbase.api import Need
from benchbase.errors import DivergedError
from benchbase.kit.loops import forward, load_batch
from benchbase.kit.memory import ClassMeans
from benchbase.testing import toy
from benchbase.testing.conformance import parametrize_with_checks

TRUSTED = frozenset({Need.TRUSTED})


@parametrize_with_checks([DLSASW])
def test_it_keeps_the_contract(weighter, check):
    check(weighter)


@pytest.mark.slow  # it shares its method's loop
@parametrize_with_checks([DLSASWFixed])
def test_its_control_keeps_the_contract(weighter, check):
    check(weighter)


SETTINGS = [
    DLSASW(mode="label-free"),
    DLSASW(mode="folded"),
    DLSASW(metric="euclidean"),
    DLSASW(class_input=True, normalisation="sum", meta_from=0.05, floor=0.01, clip=10.0),
]


@functools.cache
def default_weights():
    *_, last = DLSASW().fit(toy.toy_task(needs=TRUSTED))
    return last.weights


@pytest.mark.parametrize("weighter", SETTINGS)
def test_every_option_trains_and_repeats_itself(toy_task, weighter):
    runs = [list(weighter.fit(toy_task(needs=TRUSTED)))[-1] for _ in range(2)]
    for name, value in runs[0].model.state_dict().items():
        assert value.isfinite().all(), name
        assert torch.equal(value, runs[1].model.state_dict()[name]), name
    assert torch.equal(runs[0].weights, runs[1].weights)
    assert not torch.equal(runs[0].weights, default_weights())


# -- signals and centres ------------------------------------------------------------------------


def hand_step(toy_step, seed=0, labels=(0, 0, 1, 1, 2, 2)):
    stream = torch.Generator().manual_seed(seed)
    features = torch.rand(len(labels), 5, generator=stream).requires_grad_()
    logits = torch.randn(len(labels), 3, generator=stream).requires_grad_()
    return toy_step(features, logits, torch.tensor(labels))


def judged(weighter, step, *before):
    """Give the signals of a step by the centres of the steps before it."""
    centres = ClassMeans(3, 5, torch.device("cpu"))
    for each in before:
        centres.update(weighter.rows(each.features), each.batch.labels)
    rows = weighter.rows(step.features.detach())
    apart = distances(rows, centres.means, centres.seen, weighter.metric)
    return torch.stack(weighter.ambiguities(apart, step.logits.detach(), step.batch.labels), 1)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_each_batch_is_judged_by_the_centres_of_those_before_it(toy_task, toy_step, metric):
    weighter = DLSASW(metric=metric)
    count, describe = weighter.describe(toy_task())
    assert count == 2
    first, third = hand_step(toy_step), hand_step(toy_step, seed=2)
    second = hand_step(toy_step, seed=1, labels=(0, 0, 0, 1, 1, 1))  # without the third class
    assert not describe(first).requires_grad
    assert torch.equal(describe(second), judged(weighter, second, first))
    assert torch.equal(describe(third), judged(weighter, third, first, second))


def test_a_class_with_one_image_is_judged_by_the_centre_before_the_batch(toy_task, toy_step):
    _, describe = DLSASW().describe(toy_task())
    labels = (0, 0, 0, 1, 1, 2)
    first = describe(hand_step(toy_step, labels=labels))
    assert torch.equal(first[:, 0], torch.full((6,), 0.5))  # nothing was known
    second = describe(hand_step(toy_step, seed=1, labels=labels))
    assert 0.05 < second[5, 0] < 0.95  # with a centre of its own making it would be nearly 0


def test_centres_see_the_training_pass_only(toy_task):
    task = toy_task(needs=TRUSTED)
    made = []

    class Watched(DLSASW):
        def describe(self, task):
            count, describe = super().describe(task)
            made.append(describe)
            return count, describe

    weigh = Watched().prepare(task)
    _, alone = DLSASW().describe(task)
    model = task.build_model()

    def step_on(rows):
        batch = load_batch(task, task.train, rows, task.rng("augmentation"))
        return forward(task, model, batch, 0.05, 0)

    step, later = step_on(torch.arange(40)), step_on(torch.arange(20, 60))
    weigh(step)  # virtual step, trusted pass, tangent pass
    alone(step)
    (describe,) = made
    assert torch.equal(describe(later), alone(later))


def test_wrong_and_right_label_of_one_image_weigh_the_same_without_labels_only(toy_task, toy_step):
    centres = hand_step(toy_step)
    twins = toy_step(
        torch.tensor([[1.0, 2, 3, 4, 5], [1, 2, 3, 4, 5]]),
        torch.tensor([[2.0, 0, -1], [2, 0, -1]]),
        torch.tensor([0, 1]),
    )

    def weights(mode):
        task = toy_task(needs=TRUSTED)
        weighter = DLSASW(mode=mode)
        count, describe = weighter.describe(task)
        describe(centres)
        with task.seeded("weighting network"):
            network = weighter.network(count)
        return network(describe(twins)).flatten().tolist()

    one, other = weights("label-free")
    assert one == other
    one, other = weights("label-aware")
    assert one != other


def test_folding_singles_out_the_boundary_and_no_wrong_label(toy_task, toy_step):
    task = toy_task(num_classes=2)
    first = toy_step(torch.eye(2), torch.zeros(2, 2), torch.tensor([0, 1]))
    # Clearly of the first class and labelled so; the same image, wrongly labelled; between both.
    images = toy_step(
        torch.tensor([[3.0, 0], [3, 0], [2, 2]]),
        torch.tensor([[40.0, 0], [40, 0], [0, 0]]),
        torch.tensor([0, 1, 0]),
    )

    def signals(mode):
        _, describe = DLSASW(mode=mode).describe(task)
        describe(first)
        return describe(images)

    aware, folded = signals("label-aware"), signals("folded")
    torch.testing.assert_close(aware, torch.tensor([[0.0, 0], [1, 1], [0.5, 0.5]]))
    torch.testing.assert_close(folded, torch.tensor([[0.0, 0], [0, 0], [1, 1]]))
    assert torch.equal(folded[0], folded[1])


def test_the_control_maps_the_mean_ambiguity(toy_task, toy_step):
    def weights(mapping):
        weigh = DLSASWFixed(mapping=mapping).prepare(toy_task())
        weigh(hand_step(toy_step))
        return weigh(hand_step(toy_step, seed=1))

    _, describe = DLSASW().describe(toy_task())
    describe(hand_step(toy_step))
    ambiguity = describe(hand_step(toy_step, seed=1)).mean(1)
    torch.testing.assert_close(weights("clear"), 1 - ambiguity)
    torch.testing.assert_close(weights("ambiguous"), ambiguity)
    torch.testing.assert_close(weights("boundary"), fold(ambiguity))


# -- degenerate tasks ---------------------------------------------------------------------------


def test_batches_of_one_image_are_judged_once_two_classes_are_known(toy_task, toy_step):
    _, describe = DLSASW().describe(toy_task())
    undecided = [
        describe(hand_step(toy_step, seed, (label,)))[0, 0] for seed, label in enumerate((1, 0))
    ]
    assert undecided == [0.5, 0.5]
    before = [hand_step(toy_step, seed, (label,)) for seed, label in enumerate((1, 0))]
    single = hand_step(toy_step, seed=2, labels=(1,))
    expected = judged(DLSASW(), single, *before)
    assert expected[0, 0] != 0.5
    torch.testing.assert_close(describe(single), expected)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_features_that_are_not_finite_leave_no_trace_in_the_centres(toy_task, toy_step, metric):
    _, describe = DLSASW(metric=metric).describe(toy_task())
    step = hand_step(toy_step)
    features = step.features.detach().clone()
    features[0, 1], features[2, 1] = float("nan"), float("inf")
    signals = describe(toy_step(features, step.logits, step.batch.labels))
    assert signals.isfinite().all()
    assert describe(hand_step(toy_step, seed=1)).isfinite().all()


@pytest.mark.parametrize(
    "weighter", [DLSASW(), DLSASW(metric="euclidean"), DLSASWFixed()], ids=repr
)
def test_a_run_that_diverges_is_reported(toy_task, weighter):
    task = toy_task(needs=TRUSTED)
    wild = dataclasses.replace(task.recipe, learning_rate=1e30)
    with pytest.raises(DivergedError, match="loss"):
        list(weighter.fit(dataclasses.replace(task, recipe=wild)))


@pytest.mark.slow  # of each variant; the contract's checks ask it of the defaults
@pytest.mark.parametrize(
    "weighter", [DLSASW(), DLSASW(mode="label-free", metric="euclidean"), DLSASWFixed()], ids=repr
)
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
    assert noisy_mixture(count=1500).weight_auroc(DLSASW()) > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_wrong_labels_get_low_weights_among_more_images(noisy_mixture, seed):
    assert noisy_mixture(seed=seed).weight_auroc(DLSASW()) > 0.85


@pytest.mark.parametrize("mode", ["label-free", "folded"])
def test_without_labels_or_sign_wrong_ones_are_not_found(noisy_mixture, mode):
    auroc = noisy_mixture(count=1500).weight_auroc(DLSASW(mode=mode))
    assert auroc == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("mapping", "least", "most"),
    [("clear", 0.85, 1.0), ("ambiguous", 0.0, 0.15), ("boundary", 0.35, 0.65)],
)
def test_the_mapping_of_the_control_decides_about_wrong_labels(noisy_mixture, mapping, least, most):
    auroc = noisy_mixture(count=1000).weight_auroc(DLSASWFixed(mapping=mapping))
    assert least <= auroc <= most


@pytest.mark.slow
@pytest.mark.parametrize("weighter", [DLSASW(), DLSASWFixed()], ids=lambda each: each.name)
def test_real_images_without_noise_cost_at_most_ten_points(points_behind_unweighted, weighter):
    assert points_behind_unweighted(weighter) < 10
