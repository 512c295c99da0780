import itertools
import math

import pytest
import torch
from benchbase_vog_active.acquisition import (
    OF_ONE_PASS,
    STRATEGIES,
    acquire,
    augmented_predictions,
    entropy,
    farthest_first,
    mutual_information,
)

from benchbase.seeding import torch_stream

EVERY_STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES)


@pytest.fixture
def stream():
    return torch_stream(0, "acquisition")


def radius(points, centres):
    return torch.cdist(points, points[centres]).amin(1).amax().item()


@pytest.mark.parametrize("score", OF_ONE_PASS.values(), ids=OF_ONE_PASS.keys())
def test_an_even_prediction_comes_first_and_a_sure_one_last(score, stream):
    probabilities = torch.rand(20, 4, generator=stream).mul(3).softmax(1)
    probabilities[7] = 0.25
    probabilities[3] = torch.eye(4)[2]
    order = score(probabilities).argsort(descending=True)
    assert order[0] == 7
    assert order[-1] == 3


def test_scores_of_even_and_sure_predictions_are_those_worked_out_by_hand():
    probabilities = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    found = {name: score(probabilities).tolist() for name, score in OF_ONE_PASS.items()}
    assert found["entropy"] == [pytest.approx(math.log(2)), 0.0]
    assert found["least-confidence"] == [0.5, 0.0]
    assert found["margin"] == [0.0, -1.0]


def test_with_two_classes_entropy_confidence_and_margin_agree(stream):
    probabilities = torch.randn(50, 2, generator=stream).softmax(1)
    orders = [score(probabilities).argsort().tolist() for score in OF_ONE_PASS.values()]
    assert orders[0] == orders[1] == orders[2]


def test_mutual_information_is_how_much_passes_disagree(stream):
    passes = torch.randn(10, 30, 5, generator=stream).mul(4).softmax(2)
    found = mutual_information(passes)
    assert (found > 0).all()
    assert (found <= math.log(5)).all()
    torch.testing.assert_close(found, entropy(passes.mean(0)) - entropy(passes).mean(0))
    agreeing = passes[:1].expand(10, -1, -1)
    torch.testing.assert_close(mutual_information(agreeing), torch.zeros(30), atol=1e-5, rtol=0)
    disagreeing = torch.eye(2).repeat(5, 1).unsqueeze(1)
    assert mutual_information(disagreeing).item() == pytest.approx(math.log(2))


def test_the_farthest_points_of_a_line_are_its_end_and_its_middle():
    line = torch.arange(11.0).unsqueeze(1)
    covered = torch.arange(11) == 0
    assert farthest_first(line, covered, 2).tolist() == [10, 5]


def test_more_centres_never_widen_the_radius_and_stay_within_twice_the_best(stream):
    for _ in range(5):
        points = torch.randn(9, 2, generator=stream)
        covered = torch.arange(9) == 0
        chosen = farthest_first(points, covered, 4).tolist()
        radii = [radius(points, [0, *chosen[:count]]) for count in range(5)]
        assert radii == sorted(radii, reverse=True)
        for count in (1, 2, 3):
            best = min(
                radius(points, [0, *others])
                for others in itertools.combinations(range(1, 9), count)
            )
            assert radii[count] <= 2 * best


def test_the_farthest_points_differ_also_where_images_are_the_same():
    chosen = farthest_first(torch.zeros(5, 3), torch.arange(5) == 2, 4)
    assert sorted(chosen.tolist()) == [0, 1, 3, 4]


def test_nothing_covered_yet_is_no_obstacle():
    line = torch.arange(11.0).unsqueeze(1)
    assert farthest_first(line, torch.zeros(11, dtype=torch.bool), 3).tolist() == [0, 10, 5]


@EVERY_STRATEGY
def test_what_is_bought_is_new_distinct_and_no_more_than_there_is(make_points, strategy):
    task = make_points(num_classes=3, largest=20).task
    network = task.build_model().train()
    cleaned = torch.arange(60) % 3 == 0

    def buy(cleaned, count, purpose="round 1"):
        return acquire(task, network, cleaned, count, strategy=strategy, purpose=purpose)

    some = buy(cleaned, 15)
    assert len(some) == len(set(some.tolist())) == 15
    assert not cleaned[some].any()
    assert torch.equal(buy(cleaned, 15), some)
    assert sorted(buy(cleaned, 100).tolist()) == (~cleaned).nonzero().squeeze(1).tolist()
    assert len(buy(torch.ones(60, dtype=torch.bool), 5)) == 0
    assert len(buy(torch.zeros(60, dtype=torch.bool), 5)) == 5


@EVERY_STRATEGY
def test_looking_for_what_to_buy_leaves_no_trace_on_the_network(make_points, strategy):
    task = make_points(num_classes=3, largest=20).task
    network = task.build_model()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    cleaned = torch.arange(60) < 10
    acquire(task, network, cleaned, 5, strategy=strategy, purpose="round 1")
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_random_rounds_draw_different_images(make_points):
    task = make_points(num_classes=3, largest=20).task
    nothing = torch.zeros(60, dtype=torch.bool)
    first, second = (
        acquire(task, task.build_model(), nothing, 10, strategy="random", purpose=purpose)
        for purpose in ("round 1", "round 2")
    )
    assert set(first.tolist()) != set(second.tolist())


def test_entropy_buys_what_the_network_is_least_sure_of(make_points):
    task = make_points(num_classes=3, largest=20).task
    network = task.build_model()
    pool = torch.arange(20, 60)
    bought = acquire(
        task, network, torch.arange(60) < 20, 10, strategy="entropy", purpose="round 1"
    )
    network.eval()
    with torch.no_grad():
        scores = entropy(network(task.normalise(task.train.pixels[pool])).softmax(1))
    left = set(pool.tolist()) - set(bought.tolist())
    assert scores[bought - 20].min() >= scores[torch.tensor(sorted(left)) - 20].max()


def test_bald_looks_at_ten_augmentations_without_batch_statistics(make_points):
    task = make_points(num_classes=3, largest=20).task
    network = task.build_model()
    passes = augmented_predictions(task, network, torch.arange(60), "looks")
    assert passes.shape == (10, 60, 3)
    assert (passes[0] != passes[1]).any()
    assert task.meter.forwarded == 600
    still = make_points(num_classes=3, largest=20, jitter=0.0).task
    passes = augmented_predictions(still, network, torch.arange(60), "looks")
    assert torch.equal(passes[0], passes[9])
    alone = augmented_predictions(still, network, torch.arange(7, 8), "looks")
    torch.testing.assert_close(alone[:, 0], passes[:, 7])
