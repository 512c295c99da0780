"""Measure what two bare PyTorch loops do side by side, as a multiple of one alone; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

import torch

from tests.benchmarks.measure_loop import bare_loop, build_task

EPOCHS = 100


def train(together: Barrier, seconds: SimpleQueue[float]) -> None:
    """Time the loop from where all processes have made their first epoch."""
    torch.set_num_threads(1)
    loop = bare_loop(build_task(EPOCHS))
    next(loop)
    together.wait()
    began = time.perf_counter()
    for _ in loop:
        pass
    seconds.put(time.perf_counter() - began)


def measure(loops: int) -> float:
    """Give the seconds that so many loops take side by side."""
    context = get_context("fork")
    together, seconds = context.Barrier(loops), context.SimpleQueue()
    processes = [context.Process(target=train, args=(together, seconds)) for _ in range(loops)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return max(seconds.get() for _ in processes)


if __name__ == "__main__":
    one, two = measure(1), measure(2)
    json.dump({"one": one, "two": two, "gain": 2 * one / two}, sys.stdout)
