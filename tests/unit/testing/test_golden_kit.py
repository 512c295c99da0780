"""The kit, from a task's files to the judged logits, gives the same while RESULTS_VERSION stays."""

from __future__ import annotations

from pathlib import Path

import torch

from benchbase.api import LossWeighter, Weighter
from benchbase.kit.meta import MetaWeighter
from benchbase.testing.golden_cells import run_of
from benchbase.testing.real import nuclei_problem
from benchbase.testing.toy import ToyProblem


class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)


class ByLoss(MetaWeighter):
    name = "by-loss"

    def describe(self, task):
        return 1, lambda step: step.losses.detach().unsqueeze(1)


def test_the_kit_trains_as_it_did_in_this_results_version(tmp_path: Path, guard_runs) -> None:
    runs = {}
    methods: list[Weighter] = [Plain(), ByLoss()]
    for method in methods:
        real = nuclei_problem(tmp_path, needs=method.needs, train_size=60, epochs=2)
        problem = ToyProblem(
            real.task, real.task.train.labels, real.test_images[::8], real.test_labels[::8]
        )
        runs[method.name] = run_of(method, problem)
    guard_runs("kit", "", runs)
