"""What is asked of a device, on the CPU and on a pretend one in a forked process."""

from __future__ import annotations

import math
import os

import pytest
import torch

from benchbase.errors import UsageError
from benchbase.kit import devices
from benchbase.testing.accelerator import forked, why_no_pretend
from tests.needs import need

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "jobs", "gpus", "chosen"),
    [
        ("auto", 3, [], ["cpu"] * 3),
        ("cpu", 1, [], ["cpu"]),
        ("auto", None, ["one", "two"], ["cuda:0", "cuda:1"]),
        ("cuda", 3, ["one", "two"], ["cuda:0", "cuda:1", "cuda:0"]),
    ],
)
def test_each_cell_at_a_time_has_a_device(asked, jobs, gpus, chosen):
    assert devices.choose(asked, jobs, gpus) == chosen


def test_a_core_has_a_cell_where_nobody_says_how_many():
    assert set(devices.choose("auto", None, [])) == {"cpu"}


def test_a_gpu_that_is_asked_for_must_be_there():
    with pytest.raises(UsageError, match="finds no GPU here; use --device cpu or auto"):
        devices.choose("cuda", 1, [])


@pytest.mark.parametrize(
    ("visible", "name", "seen"),
    [("", "cuda:1", "1"), ("4,6", "cuda:1", "6"), ("4,6", "cuda", "4"), ("4,6", "cpu", "4,6")],
)
def test_a_child_sees_one_gpu(visible, name, seen):
    def prepared() -> bytes:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
        return f"{devices.prepare(name)} {os.environ['CUDA_VISIBLE_DEVICES']}".encode()

    assert forked(prepared) == f"{name.partition(':')[0]} {seen}".encode()


def test_every_child_computes_alike():
    def prepared() -> bytes:
        devices.prepare("cpu")
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        faster = [matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark]
        exact = [torch.are_deterministic_algorithms_enabled(), torch.get_num_threads() == 1]
        return f"{any(faster)} {all(exact)}".encode()

    assert forked(prepared) == b"False True"


def test_the_cpu_s_memory_is_the_process_s():
    assert devices.peak_memory(CPU) > 10_000_000
    assert devices.free_memory(CPU) == math.inf
    assert devices.random_state(CPU) is None


@pytest.mark.parametrize(
    ("error", "so"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("80 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("a shape"), False),
    ],
)
def test_an_error_for_want_of_memory_is_known(error, so):
    wrapped = KeyError("what came of it")
    wrapped.__cause__ = error
    assert devices.is_out_of_memory(wrapped) is so


def test_a_device_answers_for_itself():
    need("pretend-accelerator", there=why_no_pretend() is None)

    def asked() -> bytes:
        from benchbase.testing import pretend

        with pretend.Pretend():
            torch.zeros(1000, device=pretend.DEVICE)
            assert devices.peak_memory(pretend.DEVICE) == 4000
            state = devices.random_state(pretend.DEVICE)
            drawn = torch.rand(3, device=pretend.DEVICE).tolist()
            devices.put_back_random_state(pretend.DEVICE, state)
            assert torch.rand(3, device=pretend.DEVICE).tolist() == drawn
            pretend.MODULE.room = 100
            assert devices.free_memory(pretend.DEVICE) == 100
            with pytest.raises(torch.OutOfMemoryError) as caught:
                torch.zeros(1000, device=pretend.DEVICE)
        return str(devices.is_out_of_memory(caught.value)).encode()

    assert forked(asked) == b"True"
