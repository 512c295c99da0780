"""The formulas, against closed forms."""

import pytest
import torch
from benchbase_dsr_pgc.losses import (
    KeyQueue,
    contrast,
    disagreement,
    entropy_weights,
    queue_size,
    ramp,
)
from torch.nn import functional as F

from benchbase.kit.teacher import Teacher

CPU = torch.device("cpu")


def probabilities(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


# -- entropy weights ----------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_certain_predictions_weigh_one_and_uniform_ones_least(classes):
    certain = torch.eye(classes, dtype=torch.float64)
    uniform = torch.full((1, classes), 1 / classes, dtype=torch.float64)
    for form, least in (("one-minus-entropy", 0.0), ("exp-entropy", 1 / classes)):
        assert torch.equal(entropy_weights(certain, form), torch.ones(classes, dtype=torch.float64))
        assert entropy_weights(uniform, form).item() == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize(
    ("prediction", "one_minus", "exponential"),
    [
        ((0.9, 0.1), 0.531004, 0.722467),
        ((0.7, 0.3), 0.118709, 0.542881),
        ((0.7, 0.2, 0.1), 0.270153, 0.448513),
        ((0.9, *[0.1 / 6] * 6), 0.740862, 0.603953),
        ((0.5, 0.5, 0, 0, 0, 0, 0), 0.643793, 0.5),
    ],
)
def test_entropy_weights_have_their_closed_form(prediction, one_minus, exponential):
    batch = probabilities(prediction)
    assert entropy_weights(batch, "one-minus-entropy").item() == pytest.approx(one_minus, abs=1e-6)
    assert entropy_weights(batch, "exp-entropy").item() == pytest.approx(exponential, abs=1e-6)


def test_entropy_weights_do_not_know_the_classes_and_agree_in_order():
    drawn = torch.randn(10_000, 5, generator=stream()).mul(3).softmax(1)
    first, second = (entropy_weights(drawn, f) for f in ("one-minus-entropy", "exp-entropy"))
    assert ((first >= 0) & (first <= 1)).all()
    permuted = entropy_weights(drawn[:, [3, 0, 4, 2, 1]], "one-minus-entropy")
    torch.testing.assert_close(first, permuted)
    doubled = drawn.double()
    orders = [
        entropy_weights(doubled, form).argsort() for form in ("one-minus-entropy", "exp-entropy")
    ]
    assert torch.equal(*orders)
    assert len(second.unique()) > 1000


# -- consistency, ramp, teacher -----------------------------------------------------------------


def test_equal_predictions_do_not_disagree():
    logits = torch.randn(6, 4, generator=stream()).double()
    found = disagreement(logits, logits.softmax(1))
    torch.testing.assert_close(found, torch.zeros_like(found))


def test_squared_distances_have_their_closed_form():
    certain = 1e4 * F.one_hot(torch.tensor([0]), 7).double()
    other = F.one_hot(torch.tensor([3]), 7).double()
    assert disagreement(certain, other).item() == pytest.approx(2)
    uniform = torch.full((1, 7), 1 / 7, dtype=torch.float64)
    assert disagreement(certain, uniform).item() == pytest.approx(0.857143, abs=1e-6)


def test_unlabelled_losses_ramp_up():
    shares = [ramp(progress) for progress in (0, 0.25, 0.5, 0.75, 1, 7)]
    assert shares == pytest.approx([0.006738, 0.060055, 0.286505, 0.731616, 1, 1], abs=1e-6)


def test_teacher_is_a_running_mean_first_and_forgets_later():
    student = torch.nn.Linear(1, 1, bias=False).double()

    def show(teacher, value):
        student.weight.data.fill_(value)
        teacher.update(student)
        return teacher.model.weight.item()

    student.weight.data.fill_(4.0)
    teacher = Teacher(student, 0.99)
    assert show(teacher, 1.0) == pytest.approx(5 / 2)
    assert show(teacher, 10.0) == pytest.approx(15 / 3)
    teacher.model.weight.data.zero_()
    for _ in range(200):
        show(teacher, 0.0)
    assert [show(teacher, 1.0) for _ in range(100)][-1] == pytest.approx(0.633968, abs=1e-6)


# -- contrast -----------------------------------------------------------------------------------


def filled_queue(keys, labels, weights=None, images=None):
    """A queue whose slots are all taken, by images that no query is of."""
    queue = KeyQueue(len(labels), keys.shape[1], CPU)
    queue.keys, queue.labels = keys, torch.as_tensor(labels)
    queue.weights = torch.ones(len(labels), dtype=keys.dtype) if weights is None else weights
    queue.images = torch.arange(100, 100 + len(labels)) if images is None else images
    return queue


def unit(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=stream(seed), dtype=torch.float64), dim=-1)


@pytest.fixture
def crowd():
    """Five queries and nine keys of three pseudo-labels, with weights."""
    weights = torch.rand(9, generator=stream(3), dtype=torch.float64)
    queue = filled_queue(unit(9, 4, seed=1), [0, 1, 2, 0, 1, 2, 0, 0, 1], weights)
    return unit(5, 4, seed=2), torch.tensor([0, 1, 2, 1, 0]), torch.arange(5), queue


@pytest.mark.parametrize(
    ("temperature", "negative_weight", "expected"),
    [(1.0, 1.0, 0.313262), (0.2, 1.0, 0.006715), (1.0, 0.5, 0.168848)],
)
def test_one_positive_and_one_negative(temperature, negative_weight, expected):
    axes = torch.eye(2, dtype=torch.float64)
    weights = torch.tensor([1.0, negative_weight], dtype=torch.float64)
    loss = contrast(
        axes[:1],
        torch.tensor([0]),
        torch.tensor([7]),
        filled_queue(axes, [0, 1], weights),
        temperature=temperature,
    )
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
def test_collapsed_projections_leave_the_share_of_positive_weight(crowd, temperature):
    queries, labels, images, queue = crowd
    queries = queue.keys[:1].expand(5, 4)
    queue.keys = queue.keys[:1].expand(9, 4)
    share = torch.stack([queue.weights[queue.labels == label].sum() for label in labels])
    found = contrast(queries, labels, images, queue, temperature=temperature)
    torch.testing.assert_close(found, -(share / queue.weights.sum()).log())


def test_losses_are_not_negative(crowd):
    queries, labels, images, queue = crowd
    assert (contrast(queries, labels, images, queue) >= 0).all()
    only_positives = filled_queue(queue.keys, [0] * 9, queue.weights)
    alone = contrast(queries, torch.zeros_like(labels), images, only_positives)
    torch.testing.assert_close(alone, torch.zeros_like(alone), atol=1e-12, rtol=0)


def test_what_the_loss_does_not_depend_on(crowd):
    queries, labels, images, queue = crowd
    expected = contrast(queries, labels, images, queue)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=stream(5), dtype=torch.float64))[0]
    order = torch.randperm(9, generator=stream(6))
    others = {
        "all weights scaled": (
            queries,
            filled_queue(queue.keys, queue.labels, 3.7 * queue.weights),
        ),
        "all turned": (
            queries @ turn,
            filled_queue(queue.keys @ turn, queue.labels, queue.weights),
        ),
        "slots permuted": (
            queries,
            filled_queue(queue.keys[order], queue.labels[order], queue.weights[order]),
        ),
    }
    for what, (turned, other) in others.items():
        torch.testing.assert_close(contrast(turned, labels, images, other), expected, msg=what)


@pytest.mark.parametrize("form", ["in", "out"])
def test_an_entry_of_weight_zero_is_an_absent_one(crowd, form):
    queries, labels, images, queue = crowd
    kept = torch.arange(9) != 4
    fewer = filled_queue(queue.keys[kept], queue.labels[kept], queue.weights[kept])
    queue.weights = torch.where(kept, queue.weights, 0.0)
    torch.testing.assert_close(
        contrast(queries, labels, images, queue, form=form),
        contrast(queries, labels, images, fewer, form=form),
    )


@pytest.mark.parametrize("form", ["in", "out"])
def test_own_key_as_the_only_positive_is_infonce(form):
    queries, own, keys = unit(4, 6, seed=1), unit(4, 6, seed=2), unit(8, 6, seed=3)
    queue = filled_queue(keys, [1] * 8)
    zeros = torch.zeros(4, dtype=torch.int64)
    found = contrast(queries, zeros, torch.arange(4), queue, own_keys=own, form=form)
    scores = torch.cat(((queries * own).sum(1, keepdim=True), queries @ keys.T), 1) / 0.2
    torch.testing.assert_close(found, F.cross_entropy(scores, zeros, reduction="none"))


def test_the_sum_inside_the_logarithm_is_the_smaller_form(crowd):
    queries, labels, images, queue = crowd
    queue.weights = torch.ones_like(queue.weights)
    inside, outside = (contrast(queries, labels, images, queue, form=f) for f in ("in", "out"))
    positives = (labels.unsqueeze(1) == queue.labels).sum(1)
    assert (inside <= outside - positives.log() + 1e-12).all()


def test_the_outer_form_is_the_weighted_mean_over_positives(crowd):
    queries, labels, images, queue = crowd
    found = contrast(queries, labels, images, queue, form="out")
    normed = queue.weights / queue.weights.mean()
    for query, label, loss in zip(queries, labels, found, strict=True):
        scores = queue.keys @ query / 0.2
        shares = scores - (normed * scores.exp()).sum().log()
        pulls = queue.weights * (queue.labels == label)
        torch.testing.assert_close(loss, -(pulls * shares).sum() / pulls.sum())


def test_the_gradient_is_the_analytic_one(crowd):
    queries, labels, images, queue = crowd
    own = unit(5, 4, seed=8)
    queries.requires_grad_()
    image_weights = torch.rand(5, generator=stream(9), dtype=torch.float64)
    losses = contrast(queries, labels, images, queue, own_keys=own)
    (found,) = torch.autograd.grad((image_weights * losses).mean(), queries)
    for i in range(5):
        keys = torch.cat((own[i : i + 1], queue.keys))
        weights = torch.cat((torch.ones(1, dtype=torch.float64), queue.weights))
        alike = torch.cat((torch.tensor([True]), queue.labels == labels[i]))
        shares = weights * (keys @ queries[i].detach() / 0.2).exp()
        alpha, beta = shares * alike / (shares * alike).sum(), shares / shares.sum()
        expected = -(image_weights[i] / 0.2) * ((alpha - beta) @ keys) / 5
        torch.testing.assert_close(found[i], expected)


def test_the_gradient_is_the_one_of_differences(crowd):
    queries, labels, images, queue = crowd
    for form in ("in", "out"):
        torch.autograd.gradcheck(
            lambda q, form=form: contrast(q, labels, images, queue, form=form),
            queries.clone().requires_grad_(),
            check_forward_ad=True,
        )


@pytest.mark.parametrize("form", ["in", "out"])
def test_queries_without_a_positive_are_left_out(crowd, form):
    queries, _, images, queue = crowd
    labels = torch.tensor([0, 9, 2, 9, 0])
    queries.requires_grad_()
    losses = contrast(queries, labels, images, queue, form=form)
    some = torch.tensor([0, 2, 4])
    alone = contrast(queries[some], labels[some], images[some], queue, form=form)
    torch.testing.assert_close(losses.mean(), alone.mean())
    losses.mean().backward()
    assert queries.grad.isfinite().all()
    assert torch.equal(queries.grad[1], torch.zeros(4, dtype=torch.float64))


@pytest.mark.parametrize("form", ["in", "out"])
@pytest.mark.parametrize("own_key", [False, True])
def test_an_empty_queue_gives_the_loss_zero(form, own_key):
    queries = unit(3, 4).requires_grad_()
    queue = KeyQueue(6, 4, CPU)
    queue.keys, queue.weights = queue.keys.double(), queue.weights.double()
    own = unit(3, 4, seed=1) if own_key else None
    labels, images = torch.tensor([0, 0, 1]), torch.arange(3)
    losses = contrast(queries, labels, images, queue, own_keys=own, form=form)
    assert losses.abs().max() == 0
    losses.sum().backward()
    assert queries.grad.abs().max() == 0


@pytest.mark.parametrize("own_key", [False, True])
def test_a_queue_of_one_class_and_a_partly_filled_one_are_fine(own_key):
    queries = unit(4, 3).float().requires_grad_()
    queue = KeyQueue(8, 3, CPU)
    ones = torch.ones(2, dtype=torch.int64)
    queue.push(unit(2, 3, seed=4).float(), ones, torch.tensor([0.5, 0.0]), torch.tensor([8, 9]))
    own = unit(4, 3, seed=5).float() if own_key else None
    labels = torch.tensor([0, 1, 1, 2])
    losses = contrast(queries, labels, torch.arange(4), queue, own_keys=own)
    losses.mean().backward()
    assert losses.isfinite().all()
    assert queries.grad.isfinite().all()
    # The two of the queue's class have positives alone, the others only their own key as one.
    assert losses[1:3].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert ((losses[[0, 3]] > 0) == own_key).all()


# -- the queue ----------------------------------------------------------------------------------


def test_the_queue_is_first_in_first_out_and_keeps_its_columns_together():
    queue = KeyQueue(6, 3, CPU)
    for push in range(5):
        assert queue.pointer == 2 * push % 6
        images = torch.tensor([10 * push, 10 * push + 1])
        keys = unit(2, 3, seed=push).float().requires_grad_()
        queue.push(keys, images % 7, (images + 1) / 100, images)
    assert queue.images.tolist() == [30, 31, 40, 41, 20, 21]
    assert torch.equal(queue.labels, queue.images % 7)
    torch.testing.assert_close(queue.weights, (queue.images + 1) / 100)
    for slot, push in ((0, 3), (2, 4), (4, 2)):
        assert torch.equal(queue.keys[slot : slot + 2], unit(2, 3, seed=push).float())
    torch.testing.assert_close(queue.keys.norm(dim=1), torch.ones(6))
    assert not queue.keys.requires_grad


def test_an_image_does_not_meet_its_own_old_entry(crowd):
    queries, labels, images, queue = crowd
    queue.images = torch.tensor([100, 0, 102, 1, 104, 2, 106, 3, 4])
    found = contrast(queries, labels, images, queue)
    for i in range(5):
        kept = queue.images != i
        fewer = filled_queue(queue.keys[kept], queue.labels[kept], queue.weights[kept])
        one = slice(i, i + 1)
        torch.testing.assert_close(
            found[one], contrast(queries[one], labels[one], images[one], fewer)
        )


def test_a_push_leaves_earlier_losses_differentiable(crowd):
    queries, labels, images, queue = crowd
    queries.requires_grad_()
    losses = contrast(queries, labels, images, queue)
    queue.push(unit(5, 4, seed=7), labels, torch.ones(5, dtype=torch.float64), images)
    losses.mean().backward()
    assert queries.grad.isfinite().all()


@pytest.mark.parametrize(
    ("images", "batch", "size"), [(2000, 38, 988), (100_000, 38, 4066), (60, 38, 38), (8, 4, 4)]
)
def test_the_queue_holds_whole_batches_and_at_most_half_of_the_images(images, batch, size):
    assert queue_size(images, batch) == size
