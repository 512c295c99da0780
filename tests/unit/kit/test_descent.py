import pytest
import torch
from torch import nn

from benchbase.kit.descent import Descent, has_fused_steps


def test_it_is_sgd_with_momentum_and_decay_along_a_cosine(make_task):
    task = make_task(learning_rate=0.2, momentum=0.9, weight_decay=0.01)
    model, twin = nn.Linear(3, 1), nn.Linear(3, 1)
    twin.load_state_dict(model.state_dict())
    descent = Descent(task, model, 4)
    optimiser = torch.optim.SGD(twin.parameters(), lr=0.2, momentum=0.9, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 4)
    images = torch.linspace(-1, 1, 6).reshape(2, 3)
    for _ in range(4):
        assert abs(descent.lr - schedule.get_last_lr()[0]) < 1e-9
        descent.step(model(images).square().mean(), backpropagated=2)
        optimiser.zero_grad()
        twin(images).square().mean().backward()
        optimiser.step()
        schedule.step()
    torch.testing.assert_close(model.weight, twin.weight)
    assert (task.meter.steps, task.meter.backpropagated) == (4, 8)


def test_gradients_from_elsewhere_are_no_part_of_a_step(make_task):
    model = nn.Linear(1, 1, bias=False)
    start = model.weight.item()
    descent = Descent(make_task(learning_rate=0.5, weight_decay=0.0), model, 1)
    model.weight.grad = torch.full((1, 1), 100.0)
    descent.step(model.weight.sum(), backpropagated=1)
    assert abs(model.weight.item() - (start - 0.5)) < 1e-6


def test_a_peak_of_its_own_replaces_the_recipes(make_task):
    task = make_task(learning_rate=0.2, schedule="constant")
    descent = Descent(task, nn.Linear(1, 1), 5, peak=0.7)
    assert descent.lr == 0.7


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_a_step_of_kernels_is_the_same_in_any_layout(make_task, layout):
    task = make_task(learning_rate=0.2, momentum=0.9, weight_decay=0.01)
    model = nn.Conv2d(3, 4, 3).to(memory_format=layout)
    twin = nn.Conv2d(3, 4, 3)
    twin.load_state_dict(model.state_dict())
    descent = Descent(task, model, 2, peak=0.2)
    optimiser = torch.optim.SGD(twin.parameters(), lr=0.2, momentum=0.9, weight_decay=0.01)
    images = torch.linspace(-1, 1, 150).reshape(2, 3, 5, 5)
    for _ in range(2):
        optimiser.param_groups[0]["lr"] = descent.lr
        descent.step(model(images).square().mean(), backpropagated=2)
        optimiser.zero_grad()
        twin(images).square().mean().backward()
        optimiser.step()
    torch.testing.assert_close(model.weight, twin.weight)


def test_parameters_with_gaps_or_without_a_kernel_take_separate_steps():
    dense = torch.zeros(4, 3, 2, 2)
    assert has_fused_steps([dense, dense.to(memory_format=torch.channels_last), dense[0, 0, 0]])
    assert not has_fused_steps([dense, dense[:, :2]])
    assert not has_fused_steps([dense.to("meta")])


def test_a_parameter_may_get_its_first_gradient_later_than_others(make_task):
    task = make_task(learning_rate=0.5, momentum=0.9, weight_decay=0.0, schedule="constant")
    early, late = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    start = late.weight.item()
    descent = Descent(task, nn.ModuleList([early, late]), 2)
    descent.step(early.weight.sum(), backpropagated=1)
    assert late.weight.item() == start
    descent.step(early.weight.sum() + late.weight.sum(), backpropagated=1)
    assert abs(late.weight.item() - (start - 0.5)) < 1e-6
