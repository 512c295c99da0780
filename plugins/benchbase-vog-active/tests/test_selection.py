import math

import numpy as np
import pytest
import torch
from benchbase_vog_active.selection import (
    ForgetSchedule,
    GradientWindow,
    last_layer_gradients,
    mixed,
    smallest,
)
from torch import nn
from torch.nn import functional as F

from benchbase.seeding import torch_stream


@pytest.fixture
def stream():
    return torch_stream(0, "selection")


@pytest.fixture
def layer(stream):
    """A linear layer, features that it reads, and labels."""
    head = nn.Linear(5, 4)
    for parameter in head.parameters():
        parameter.data = torch.randn(parameter.shape, generator=stream)
    features = torch.randn(6, 5, generator=stream)
    return head, features, torch.tensor([0, 1, 2, 3, 1, 1])


def window_of(gradients):
    """A window with gradients (epochs, images, coordinates)."""
    window = GradientWindow(len(gradients), gradients.shape[1])
    for epoch, each in enumerate(gradients):
        window.record(epoch, torch.arange(gradients.shape[1]), each)
    return window


def test_the_closed_form_is_the_gradient_of_each_image_by_autograd(layer):
    head, features, labels = layer
    found = last_layer_gradients(head(features), features, labels)
    for image, label in enumerate(labels.tolist()):
        loss = F.cross_entropy(head(features[image : image + 1]), labels[image : image + 1])
        weight, bias = torch.autograd.grad(loss, [head.weight, head.bias])
        expected = torch.cat([bias.unsqueeze(1), weight], dim=1)[label]
        torch.testing.assert_close(found[image], expected, atol=1e-6, rtol=1e-5)


def test_a_gradient_does_not_depend_on_the_size_of_its_batch(layer):
    head, features, labels = layer
    together, alone = (
        last_layer_gradients(head(some), some, labels[: len(some)])
        for some in (features, features[:1])
    )
    torch.testing.assert_close(together[:1], alone)
    # That of the mean loss, which the authors' code keeps, is divided by that size.
    mean_loss = F.cross_entropy(head(features[:1].expand(6, -1)), labels[:1].expand(6))
    of_the_mean = torch.autograd.grad(mean_loss, head.bias)[0]
    torch.testing.assert_close(of_the_mean[labels[0]], alone[0, 0])


def test_vog_is_the_mean_of_population_standard_deviations(stream):
    gradients = torch.randn(5, 30, 7, generator=stream)
    expected = gradients.numpy().std(axis=0, ddof=0).mean(axis=1)
    np.testing.assert_allclose(window_of(gradients).variance().numpy(), expected, rtol=1e-5)


def test_vog_scales_with_gradients_and_forgets_constants_and_the_order_of_epochs(stream):
    gradients = torch.randn(5, 30, 7, generator=stream)
    vog = window_of(gradients).variance()
    torch.testing.assert_close(window_of(-3 * gradients).variance(), 3 * vog)
    shifted = gradients + torch.randn(30, 1, generator=stream)
    torch.testing.assert_close(window_of(shifted).variance(), vog)
    torch.testing.assert_close(window_of(gradients[[3, 1, 4, 0, 2]]).variance(), vog)
    constant = gradients[:1].expand(5, -1, -1)
    torch.testing.assert_close(window_of(constant).variance(), torch.zeros(30), atol=1e-6, rtol=0)


def test_vog_of_two_epochs_is_half_the_mean_distance(stream):
    first, second = torch.randn(2, 30, 7, generator=stream)
    vog = window_of(torch.stack([first, second])).variance()
    torch.testing.assert_close(vog, (first - second).abs().mean(1) / 2)


def test_vog_under_fixed_features_is_the_deviation_of_the_probability(stream):
    features = torch.randn(8, 5, generator=stream)
    labels = torch.arange(8) % 3
    logits = torch.randn(4, 8, 3, generator=stream)
    vog = window_of(
        torch.stack([last_layer_gradients(each, features, labels) for each in logits])
    ).variance()
    probabilities = logits.softmax(2)[:, torch.arange(8), labels]
    expected = probabilities.std(0, correction=0) * (1 + features.abs().sum(1)) / (5 + 1)
    torch.testing.assert_close(vog, expected)


def test_a_window_holds_the_last_epochs_in_the_order_of_rows(stream):
    window = GradientWindow(length=3, count=10)
    for epoch in range(7):
        for rows in torch.randperm(10, generator=stream).split(4):
            window.record(epoch, rows, (epoch * epoch * (rows + 1.0)).unsqueeze(1))
        assert len(window.epochs) <= 3
    assert window.epochs == [4, 5, 6]
    deviation = torch.tensor([16.0, 25.0, 36.0]).std(correction=0)
    torch.testing.assert_close(window.variance(), deviation * torch.arange(1.0, 11.0))


def test_an_image_that_an_epoch_leaves_out_keeps_its_last_gradient():
    window = GradientWindow(length=2, count=2)
    window.record(0, torch.tensor([0, 1]), torch.tensor([[1.0], [5.0]]))
    window.record(1, torch.tensor([1]), torch.tensor([[7.0]]))
    assert window.variance().tolist() == [0.0, 1.0]


def test_the_forgotten_share_grows_in_a_line_and_stays():
    schedule = ForgetSchedule(rate=0.8, ramp=10)
    shares = [schedule.share(epoch) for epoch in range(50)]
    assert shares[0] == 0
    assert shares[9:] == [0.8] * 41
    np.testing.assert_allclose(np.diff(shares[:10]), 0.8 / 9)


def test_a_ramp_of_one_epoch_forgets_nothing_in_it():
    schedule = ForgetSchedule(rate=0.5, ramp=1)
    assert [schedule.share(epoch) for epoch in range(3)] == [0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("rate", "batch_size", "kept"), [(0.8, 256, 51), (0.4, 128, 76), (0.8, 5, 1), (0.8, 4, 0)]
)
def test_images_kept_are_those_worked_out_by_hand(rate, batch_size, kept):
    assert ForgetSchedule(rate, ramp=10).kept(20, batch_size) == kept


def test_rounding_down_without_a_margin_would_lose_an_image():
    assert [math.floor((1 - 0.8) * size) for size in (5, 10, 50)] == [0, 1, 9]
    assert [ForgetSchedule(0.8, ramp=1).kept(1, size) for size in (5, 10, 50)] == [1, 2, 10]


def test_the_loss_chooses_first_and_the_second_score_among_the_rest():
    losses = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    second = torch.tensor([0.0, 9.0, 5.0, 6.0, 1.0, 2.0])
    assert mixed(losses, second, 4, 0.5).tolist() == [True, True, False, False, True, True]
    assert mixed(losses, second, 5, 0.2).tolist() == [True, True, True, True, True, False]


@pytest.mark.parametrize("count", [51, 76, 102, 128])
@pytest.mark.parametrize("mix", [0.0, 0.2, 0.7, 1.0])
def test_exactly_as_many_are_chosen_as_are_to_be_kept(stream, count, mix):
    losses, second = torch.rand(2, 128, generator=stream)
    chosen = mixed(losses, second, count, mix)
    assert chosen.sum() == count
    by_loss = count - math.floor(count * mix)
    assert (chosen & smallest(losses, by_loss)).sum() == by_loss


def test_mix_zero_is_the_small_loss_and_mix_one_ignores_it(stream):
    losses, second = torch.rand(2, 40, generator=stream)
    assert torch.equal(mixed(losses, second, 25, 0.0), smallest(losses, 25))
    assert torch.equal(mixed(losses, second, 25, 1.0), smallest(second, 25))


def test_constants_change_no_selection_and_a_permutation_permutes_it(stream):
    losses, second = torch.rand(2, 40, generator=stream)
    chosen = mixed(losses, second, 25, 0.3)
    assert torch.equal(mixed(losses + 5, second, 25, 0.3), chosen)
    assert torch.equal(mixed(losses, second + 5, 25, 0.3), chosen)
    order = torch.randperm(40, generator=stream)
    assert torch.equal(mixed(losses[order], second[order], 25, 0.3), chosen[order])
