import copy

import pytest
import torch
from torch.nn import functional as F


def own_parameters(model):
    return {name: value.detach() for name, value in model.named_parameters()}


def test_losses_at_the_own_parameters_are_the_losses_of_the_step(make_step):
    step, _ = make_step(dropout=0.5)
    assert torch.equal(step.losses_at(own_parameters(step.model)), step.losses)
    assert torch.equal(step.losses_at(own_parameters(step.model)), step.losses)


def test_losses_at_other_parameters_are_those_of_a_model_that_has_them(make_step):
    step, _ = make_step()
    other = copy.deepcopy(step.model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1.5)
    expected = F.cross_entropy(other(step.batch.images), step.batch.labels, reduction="none")
    assert torch.equal(step.losses_at(own_parameters(other)), expected)
    assert not torch.equal(step.losses, expected)


def test_trusted_loss_takes_the_statistics_of_the_trusted_batch(make_step):
    step, trusted = make_step()
    other = copy.deepcopy(step.model)
    expected = F.cross_entropy(other(trusted.images), trusted.labels)
    assert torch.equal(step.trusted_loss_at(own_parameters(step.model), trusted), expected)


def test_batch_norm_in_eval_mode_takes_its_buffers(make_step):
    step, trusted = make_step()
    step.model.body[1].eval()
    expected = F.cross_entropy(step.model(trusted.images), trusted.labels)
    assert torch.equal(step.trusted_loss_at(own_parameters(step.model), trusted), expected)


def test_no_pass_moves_buffers_or_random_streams(make_step):
    step, trusted = make_step(dropout=0.5)
    buffers = {name: buffer.clone() for name, buffer in step.model.named_buffers()}
    stream = torch.get_rng_state()
    step.losses_at(own_parameters(step.model))
    step.trusted_loss_at(own_parameters(step.model), trusted)
    assert torch.equal(torch.get_rng_state(), stream)
    for name, buffer in step.model.named_buffers():
        assert torch.equal(buffer, buffers[name]), name


def test_random_streams_are_put_back_when_a_pass_fails(make_step):
    step, _ = make_step(dropout=0.5)
    stream = torch.get_rng_state()
    wrong = own_parameters(step.model) | {"head.weight": torch.zeros(1, 1, dtype=torch.float64)}
    with pytest.raises(RuntimeError):
        step.losses_at(wrong)
    assert torch.equal(torch.get_rng_state(), stream)
    assert step.model.head.weight.shape == (3, 36)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_losses_at_can_be_differentiated_by_torch_func(make_step):
    step, _ = make_step()
    parameters = own_parameters(step.model)
    direction = {name: torch.ones_like(value) for name, value in parameters.items()}
    tangent = torch.func.jvp(step.losses_at, (parameters,), (direction,))[1]
    slopes = [
        sum(
            slope.sum()
            for slope in torch.autograd.grad(loss, list(step.model.parameters()), retain_graph=True)
        )
        for loss in step.losses
    ]
    torch.testing.assert_close(tangent, torch.stack(slopes), rtol=1e-10, atol=1e-12)
