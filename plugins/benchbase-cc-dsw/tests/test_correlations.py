import pytest
import torch
from benchbase_cc_dsw import CCDSW
from benchbase_cc_dsw.correlations import correlations, similarities

from benchbase.kit.memory import unit

FEATURES = torch.tensor([[1.0, 0], [3, 4], [0, 2], [4, 3]], dtype=torch.float64)
PREDICTIONS = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]], dtype=torch.float64)
LABELS = torch.tensor([0, 0, 1, 1])


def without_memory(rows, labels, classes=2, other="nearest"):
    means = torch.zeros(classes, rows.shape[1], dtype=rows.dtype)
    values, known = correlations(rows, labels, means, torch.zeros(classes).to(rows), other)
    assert known.all()
    return values


def with_memory(rows, labels, means, kappa=1.0):
    pseudo_counts = torch.full((len(means),), kappa, dtype=rows.dtype)
    return correlations(rows, labels, means, pseudo_counts)[0]


def random_batch(seed=0, count=40, width=6, classes=4):
    stream = torch.Generator().manual_seed(seed)
    rows = unit(torch.randn(count, width, dtype=torch.float64, generator=stream))
    labels = torch.randint(classes, (count,), generator=stream)
    means = 0.5 * unit(torch.randn(classes, width, dtype=torch.float64, generator=stream))
    return rows, labels, means


def test_features_worked_by_hand():
    values = without_memory(unit(FEATURES), LABELS)
    expected = torch.tensor([[0.6, 0.4], [0.6, 0.88], [0.6, 0.4], [0.6, 0.88]])
    torch.testing.assert_close(values, expected.double())


def test_predictions_worked_by_hand():
    agreement = torch.tensor([[0.58, 0.38], [0.58, 0.47], [0.5, 0.35], [0.5, 0.5]])
    torch.testing.assert_close(without_memory(PREDICTIONS, LABELS), agreement.double())
    cosine = [
        [0.888218, 0.564528],
        [0.888218, 0.86026],
        [0.857493, 0.544063],
        [0.857493, 0.880725],
    ]
    values = without_memory(unit(PREDICTIONS), LABELS)
    torch.testing.assert_close(values, torch.tensor(cosine).double(), atol=1e-6, rtol=0)


def test_memory_worked_by_hand():
    def intra(rows, mean):
        labels, means = torch.zeros(len(rows), dtype=torch.long), torch.tensor([mean, [0.0, 0.0]])
        return with_memory(torch.tensor(rows), labels, means)[:, 0]

    torch.testing.assert_close(intra([[1.0, 0.0]], [0.8, 0.0]), torch.tensor([0.8]))
    both = intra([[1.0, 0.0], [0.6, 0.8]], [0.8, 0.1])
    torch.testing.assert_close(both, torch.tensor([0.7, 0.58]))


@pytest.mark.parametrize("other", ["nearest", "pooled"])
@pytest.mark.parametrize("kappa", [0.0, 1.0, 2.5])
def test_the_fast_formula_is_the_mean_over_all_pairs(kappa, other):
    rows, labels, means = random_batch()
    seen = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    values, known = correlations(rows, labels, means, kappa * seen, other)
    assert known.all()
    for i in range(40):
        sums, counts = [0.0] * 4, [0.0] * 4
        for c in range(4):
            for k in range(40):
                if k != i and labels[k] == c:
                    sums[c] += float(rows[i] @ rows[k])
                    counts[c] += 1
            sums[c] += kappa * float(seen[c]) * float(rows[i] @ means[c])
            counts[c] += kappa * float(seen[c])
        others = [c for c in range(4) if c != labels[i]]
        nearest = max(sums[c] / counts[c] for c in others)
        pooled = sum(sums[c] for c in others) / sum(counts[c] for c in others)
        assert float(values[i, 0]) == pytest.approx(sums[labels[i]] / counts[labels[i]], abs=1e-12)
        expected = nearest if other == "nearest" else pooled
        assert float(values[i, 1]) == pytest.approx(expected, abs=1e-12)


def test_a_memory_worth_very_many_images_is_all_that_counts():
    rows, labels, means = random_batch()
    sums, counts = similarities(rows, labels, means, torch.full((4,), 1e9).double())
    torch.testing.assert_close(sums / counts, rows @ means.T, atol=1e-6, rtol=0)


# -- what must not and what must matter ---------------------------------------------------------


def test_a_permuted_batch_has_permuted_correlations():
    rows, labels, means = random_batch()
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    permuted = with_memory(rows[order], labels[order], means)
    torch.testing.assert_close(permuted, with_memory(rows, labels, means)[order])


def test_names_of_classes_do_not_matter():
    rows, labels, means = random_batch()
    names = torch.tensor([2, 0, 3, 1])
    renamed = torch.empty_like(means)
    renamed[names] = means
    torch.testing.assert_close(
        with_memory(rows, names[labels], renamed), with_memory(rows, labels, means)
    )


def test_rotating_the_space_of_features_does_not_matter():
    rows, labels, means = random_batch()
    rotation, _ = torch.linalg.qr(random_batch(seed=2, count=6)[0])
    torch.testing.assert_close(
        with_memory(rows @ rotation, labels, means @ rotation), with_memory(rows, labels, means)
    )


def test_neither_the_scale_of_features_nor_a_shift_of_logits_matters():
    features, labels, _ = random_batch()
    logits = 3 * random_batch(seed=3, width=4)[0]
    scales = torch.rand(40, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    plain = CCDSW().rows(features, logits)
    moved = CCDSW().rows(features * (0.1 + scales), logits + 10 * scales)
    for one, other in zip(plain, moved, strict=True):
        torch.testing.assert_close(without_memory(one, labels, 4), without_memory(other, labels, 4))


def test_features_have_norm_one_and_predictions_where_the_operator_says():
    features, logits = random_batch(count=12)[0], random_batch(seed=3, count=12, width=4)[0]
    probabilities = logits.softmax(1)
    for operator, expected in (("cosine", unit(probabilities)), ("agreement", probabilities)):
        rows, predictions = CCDSW(operator=operator).rows(3 * features, logits)
        torch.testing.assert_close(rows, unit(features))
        torch.testing.assert_close(predictions, expected)


def test_turning_towards_a_class_raises_the_correlation_with_it():
    rows, labels, means = random_batch(classes=2, width=8)
    i, own = 3, int(labels[3])
    before = with_memory(rows, labels, means)[i]

    def turned_to(c):
        # The mean of what the row is compared with: its class without itself, and the memory.
        compared = torch.cat([rows[(labels == c) & (torch.arange(40) != i)], means[c : c + 1]])
        changed = rows.clone()
        changed[i] = unit((rows[i] + unit(compared.mean(0, keepdim=True))[0]).unsqueeze(0))[0]
        return with_memory(changed, labels, means)[i]

    assert turned_to(own)[0] > before[0]
    assert turned_to(1 - own)[1] > before[1]


def test_a_higher_logit_of_the_own_class_widens_the_gap_among_predictions():
    _, labels, _ = random_batch(classes=3)
    stream = torch.Generator().manual_seed(5)
    logits = torch.randn(40, 3, dtype=torch.float64, generator=stream)
    logits += 2 * torch.nn.functional.one_hot(labels, 3)  # mostly right
    features = random_batch()[0]
    gaps = []
    for raised in (-2.0, -1.0, 0.0, 1.0, 2.0):
        changed = logits.clone()
        changed[7, labels[7]] += raised
        values = without_memory(CCDSW().rows(features, changed)[1], labels, 3)[7]
        gaps.append(float(values[0] - values[1]))
    assert gaps == sorted(gaps)
    assert gaps[-1] - gaps[0] > 0.1


def test_agreement_with_certain_classes_is_the_probability_and_the_runner_up():
    logits = random_batch(width=4)[0]
    _, labels, _ = random_batch()
    anchors = torch.eye(4, dtype=torch.float64)
    (probabilities,) = CCDSW(spaces="label", operator="agreement").rows(logits, logits)
    values = with_memory(probabilities, labels, anchors, kappa=1e9)
    own = probabilities[torch.arange(40), labels]
    runner_up = probabilities.scatter(1, labels.unsqueeze(1), 0.0).amax(1)
    torch.testing.assert_close(values, torch.stack((own, runner_up), 1), atol=1e-6, rtol=0)


# -- degenerate batches -------------------------------------------------------------------------


def test_with_two_classes_the_nearest_other_class_is_all_others():
    rows, labels, _ = random_batch(classes=2)
    torch.testing.assert_close(
        without_memory(rows, labels), without_memory(rows, labels, other="pooled")
    )


def test_a_class_absent_from_the_batch_is_compared_by_memory_alone():
    rows = unit(FEATURES)[:2]
    means = torch.tensor([[0.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    seen = torch.tensor([0.0, 1.0], dtype=torch.float64)
    values, known = correlations(rows, LABELS[:2], means, seen)
    torch.testing.assert_close(values[:, 1], rows @ means[1])
    assert known.all()


def test_a_class_that_was_never_seen_is_nobodys_nearest():
    rows = unit(FEATURES) * torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    values, known = correlations(
        rows, LABELS, torch.zeros(3, 2).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    )
    assert (values[:, 1] < 0).all()
    # As a class of zero similarity it would be the nearest one here.
    plain = correlations(rows, LABELS, torch.zeros(2, 2).double(), torch.ones(2).double())[0]
    torch.testing.assert_close(values, plain)
    assert known.all()


@pytest.mark.parametrize("other", ["nearest", "pooled"])
def test_what_there_is_nothing_to_compare_with_is_unknown(other):
    rows, labels = unit(FEATURES), torch.tensor([0, 0, 0, 1])
    nothing = torch.zeros(2, 2).double(), torch.zeros(2).double()
    assert correlations(rows, labels, *nothing, other)[1].tolist() == [
        [True, True],
        [True, True],
        [True, True],
        [False, True],
    ]
    _, known = correlations(rows, torch.zeros(4, dtype=torch.long), *nothing, other)
    assert known.tolist() == [[True, False]] * 4
    _, known = correlations(rows[:1], labels[:1], *nothing, other)
    assert known.tolist() == [[False, False]]


def test_dead_features_are_like_nothing_and_still_count():
    rows = unit(torch.tensor([[1.0, 0], [0, 0], [0.6, 0.8], [1, 0]]))
    values = without_memory(rows, LABELS)
    # Row 0 is compared with the dead row alone; rows 2 and 3 with the mean over rows 0 and 1.
    expected = [[0.0, 0.8], [0.0, 0.0], [0.6, 0.3], [0.6, 0.5]]
    torch.testing.assert_close(values, torch.tensor(expected))
