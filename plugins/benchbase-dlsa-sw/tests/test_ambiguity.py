import pytest
import torch
from benchbase_dlsa_sw import (
    DLSASW,
    distances,
    doubt,
    doubt_label_free,
    fold,
    proximity,
    proximity_label_free,
)

from benchbase.kit.memory import unit

BOTH_SEEN = torch.tensor([True, True])


def random_batch(count=40, width=6, classes=4, seed=0):
    stream = torch.Generator().manual_seed(seed)
    features = torch.randn(count, width, dtype=torch.float64, generator=stream)
    logits = 2 * torch.randn(count, classes, dtype=torch.float64, generator=stream)
    labels = torch.randint(classes, (count,), generator=stream)
    centres = torch.randn(classes, width, dtype=torch.float64, generator=stream)
    return features, logits, labels, centres


def ambiguities(features, logits, labels, centres, seen=None, **settings):
    weighter = DLSASW(**settings)
    seen = torch.ones(len(centres), dtype=torch.bool) if seen is None else seen
    apart = distances(features, centres, seen, weighter.metric)
    return torch.stack(weighter.ambiguities(apart, logits, labels), dim=1)


def test_euclidean_distances_worked_by_hand():
    centres = torch.tensor([[0.0, 0], [4, 0]])
    features = torch.tensor([[1.0, 0], [2, 5], [4, 0], [0, 0]])
    apart = distances(features, centres, BOTH_SEEN, "euclidean")
    aware = proximity(apart, torch.zeros(4, dtype=torch.long))
    ratio = proximity_label_free(apart)
    torch.testing.assert_close(aware, torch.tensor([0.25, 0.5, 1, 0]))
    torch.testing.assert_close(ratio, torch.tensor([1 / 3, 1, 0, 0]))
    torch.testing.assert_close(fold(aware), torch.tensor([0.5, 1, 0, 0]))
    torch.testing.assert_close(fold(aware), 2 * ratio / (1 + ratio))


def test_cosine_distances_worked_by_hand():
    centres = torch.tensor([[2.0, 0], [0, 0.1]])  # not of norm one, as averages are not
    features = torch.tensor([[3.0, 4], [5, 0], [-1, 0], [1, 1]])
    apart = distances(features, centres, BOTH_SEEN, "cosine")
    root = 0.5**0.5
    expected = torch.tensor([[0.4, 0.2], [0, 1], [2, 1], [1 - root, 1 - root]])
    torch.testing.assert_close(apart, expected)
    aware = proximity(apart, torch.tensor([0, 0, 0, 1]))
    torch.testing.assert_close(aware, torch.tensor([2 / 3, 0, 2 / 3, 0.5]))


def test_predictions_worked_by_hand():
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(3, 3)
    torch.testing.assert_close(
        doubt(logits, torch.tensor([0, 1, 2])), torch.tensor([0.4, 0.6, 0.65])
    )
    torch.testing.assert_close(doubt_label_free(logits), torch.full((3,), 0.75))


def test_with_two_classes_doubt_is_the_probability_of_the_other_class():
    _, logits, labels, _ = random_batch(classes=2)
    probabilities = logits.softmax(1)
    own = probabilities[torch.arange(40), labels]
    torch.testing.assert_close(doubt(logits, labels), 1 - own)
    torch.testing.assert_close(fold(doubt(logits, labels)), 2 * (1 - probabilities.amax(1)))
    torch.testing.assert_close(fold(doubt(logits, labels)), doubt_label_free(logits))


def test_folding_takes_the_sign_away_where_the_label_is_one_of_the_two_likeliest():
    features, logits, _, centres = random_batch()
    apart = distances(features, centres, torch.ones(4, dtype=torch.bool), "cosine")
    ratio = proximity_label_free(apart)
    top = logits.softmax(1).topk(2).values
    for place in (0, 1):
        nearest = apart.topk(2, largest=False).indices[:, place]
        torch.testing.assert_close(fold(proximity(apart, nearest)), 2 * ratio / (1 + ratio))
        likeliest = logits.topk(2).indices[:, place]
        torch.testing.assert_close(fold(doubt(logits, likeliest)), 1 - (top[:, 0] - top[:, 1]))


# -- what must not and what must matter ---------------------------------------------------------

EVERY_READING = [
    {"mode": mode, "metric": metric}
    for mode in ("label-aware", "label-free", "folded")
    for metric in ("cosine", "euclidean")
]


@pytest.mark.parametrize("settings", EVERY_READING)
def test_order_names_rotation_and_a_shift_of_logits_do_not_matter(settings):
    features, logits, labels, centres = random_batch()
    plain = ambiguities(features, logits, labels, centres, **settings)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    permuted = ambiguities(features[order], logits[order], labels[order], centres, **settings)
    torch.testing.assert_close(permuted, plain[order])

    names = torch.tensor([2, 0, 3, 1])
    logits_renamed, centres_renamed = torch.empty_like(logits), torch.empty_like(centres)
    logits_renamed[:, names], centres_renamed[names] = logits, centres
    renamed = ambiguities(features, logits_renamed, names[labels], centres_renamed, **settings)
    torch.testing.assert_close(renamed, plain)

    rotation, _ = torch.linalg.qr(random_batch(count=6, seed=2)[0])
    rotated = ambiguities(features @ rotation, logits, labels, centres @ rotation, **settings)
    torch.testing.assert_close(rotated, plain)
    shifted = ambiguities(features, logits + features[:, :1], labels, centres, **settings)
    torch.testing.assert_close(shifted, plain)


@pytest.mark.parametrize("mode", ["label-aware", "label-free", "folded"])
def test_euclidean_ambiguity_is_free_of_origin_and_scale(mode):
    features, logits, labels, centres = random_batch()
    plain = ambiguities(features, logits, labels, centres, mode=mode, metric="euclidean")
    moved = ambiguities(
        5 * features + 3, logits, labels, 5 * centres + 3, mode=mode, metric="euclidean"
    )
    torch.testing.assert_close(moved, plain)


def test_features_are_the_more_ambiguous_the_further_from_the_own_centre():
    far = torch.linspace(0.1, 3, 9)
    apart = torch.stack((far, torch.full_like(far, 1.5), torch.full_like(far, 2.5)), 1)
    assert (proximity(apart, torch.zeros(9, dtype=torch.long)).diff() > 0).all()
    assert (proximity(apart, torch.ones(9, dtype=torch.long)).diff()[:4] < 0).all()


def test_predictions_are_the_more_ambiguous_the_nearer_the_runner_up():
    levels = torch.linspace(-2, 2, 9)
    logits = torch.stack((levels, torch.zeros(9), torch.full((9,), -3.0)), 1)
    assert (doubt(logits, torch.zeros(9, dtype=torch.long)).diff() < 0).all()
    assert (doubt(logits, torch.ones(9, dtype=torch.long)).diff() > 0).all()


@pytest.mark.parametrize("settings", EVERY_READING)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_ambiguities_lie_between_zero_and_one(settings, scale):
    features, logits, labels, centres = (
        part if part.dtype == torch.long else part.float() for part in random_batch(count=400)
    )
    values = ambiguities(features, scale * logits, labels, centres, **settings)
    assert ((values >= 0) & (values <= 1)).all()


def test_the_other_label_of_two_mirrors_the_label_aware_ambiguity_only():
    features, logits, labels, centres = random_batch(classes=2)

    def both(mode):
        return (
            ambiguities(features, logits, labels, centres, mode=mode),
            ambiguities(features, logits, 1 - labels, centres, mode=mode),
        )

    one, other = both("label-aware")
    torch.testing.assert_close(one, 1 - other)
    assert torch.equal(*both("label-free"))
    torch.testing.assert_close(*both("folded"))


# -- degenerate batches -------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_an_image_on_coinciding_centres_is_undecided(metric):
    centres = torch.tensor([[3.0, 4.0], [3.0, 4.0]])
    apart = distances(centres[:1], centres, BOTH_SEEN, metric)
    assert proximity(apart, torch.tensor([0])).tolist() == [0.5]
    assert proximity_label_free(apart).tolist() == [1.0]


@pytest.mark.parametrize(
    ("seen", "aware", "free"),
    [
        ([False, False, False], [0.5, 0.5], 0.5),
        ([True, False, False], [0.5, 0.5], 0.5),
        ([True, False, True], [0.25, 0.5], 1 / 3),  # the second label's class is the unseen one
    ],
)
def test_classes_never_seen_take_no_part(seen, aware, free):
    centres = torch.tensor([[0.0, 0], [1, 0], [4, 0]])
    features = torch.tensor([[1.0, 0], [1, 0]])
    apart = distances(features, centres, torch.tensor(seen), "euclidean")
    torch.testing.assert_close(proximity(apart, torch.tensor([0, 1])), torch.tensor(aware))
    torch.testing.assert_close(proximity_label_free(apart), torch.full((2,), free))


def test_a_dead_feature_or_centre_is_one_from_everything():
    centres = torch.tensor([[1.0, 0], [0, 0]])
    apart = distances(torch.tensor([[0.0, 0], [1, 0]]), centres, BOTH_SEEN, "cosine")
    assert apart.tolist() == [[1, 1], [0, 1]]
    assert proximity(apart, torch.tensor([0, 0])).tolist() == [0.5, 0]


def test_rounding_gives_no_negative_distance():
    rows = unit(random_batch(count=400)[0].float())
    apart = distances(rows, rows[:50], torch.ones(50, dtype=torch.bool), "cosine")
    assert (apart >= 0).all()
    assert (1 - rows @ rows[:50].T).min() < 0  # which it would without care


def test_probabilities_that_underflow_are_certain_not_undefined():
    logits = torch.tensor([[1e4, -1e4, 0.0]])
    assert doubt(logits, torch.tensor([0])).tolist() == [0.0]
    assert doubt(logits, torch.tensor([1])).tolist() == [1.0]
    assert doubt_label_free(logits).tolist() == [0.0]
