import pytest
import torch

from benchbase.kit.memory import ClassMeans, unit

CPU = torch.device("cpu")


def test_a_class_enters_with_its_first_mean_and_then_averages():
    memory = ClassMeans(3, 2, CPU, decay=0.9)
    memory.update(torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]]), torch.tensor([0, 0, 2]))
    assert memory.means.tolist() == [[2.0, 1.0], [0.0, 0.0], [5.0, 5.0]]
    assert memory.seen.tolist() == [True, False, True]
    memory.update(torch.tensor([[12.0, 1.0]]), torch.tensor([0]))
    assert memory.means[0].tolist() == pytest.approx([0.9 * 2 + 0.1 * 12, 1.0])
    assert memory.means[2].tolist() == [5.0, 5.0]


def test_memory_holds_no_graph():
    memory = ClassMeans(2, 2, CPU)
    memory.update(torch.ones(2, 2, requires_grad=True), torch.tensor([0, 1]))
    assert not memory.means.requires_grad


def test_rows_that_are_not_finite_become_zero_vectors():
    rows = torch.tensor([[float("nan"), 1.0], [float("inf"), 1.0], [0.0, 1e-9], [3.0, 4.0]])
    torch.testing.assert_close(unit(rows), torch.tensor([[0, 0], [0, 0], [0, 0], [0.6, 0.8]]))
