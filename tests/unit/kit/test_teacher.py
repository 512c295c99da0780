import pytest
import torch
from torch import nn

from benchbase.kit.teacher import Teacher


def constant(value):
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.constant_(layer.bias, value)
    return layer


def test_first_updates_are_the_plain_mean_of_start_and_students():
    teacher = Teacher(constant(1.0), decay=0.99)
    for value in (2.0, 6.0, 3.0):
        teacher.update(constant(value))
    assert teacher.model.weight.item() == pytest.approx((1 + 2 + 6 + 3) / 4)


def test_later_updates_decay():
    teacher = Teacher(constant(0.0), decay=0.5)
    for _ in range(4):
        teacher.update(constant(1.0))
    assert teacher.model.weight.item() == pytest.approx(1 - 0.5**4)


def test_statistics_of_batch_norm_are_averaged_and_counters_copied():
    student = nn.BatchNorm1d(2)
    teacher = Teacher(student, decay=0.99)
    student(torch.randn(8, 2) + 3)
    teacher.update(student)
    torch.testing.assert_close(teacher.model.running_mean, student.running_mean / 2)
    assert teacher.model.num_batches_tracked == 1


def test_teacher_is_in_eval_mode_without_gradients_and_of_its_own_memory():
    student = constant(1.0).train()
    teacher = Teacher(student, decay=0.9)
    assert student.training
    assert not teacher.model.training
    assert not any(parameter.requires_grad for parameter in teacher.model.parameters())
    assert all(parameter.requires_grad for parameter in student.parameters())
    teacher.update(constant(5.0))
    assert student.weight.item() == 1.0
