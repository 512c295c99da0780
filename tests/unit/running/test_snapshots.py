"""A run that was interrupted after any checkpoint ends bit for bit as it would have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchbase.api import Checkpoint, LossWeighter, Need, Step, Task, Weighter
from benchbase.kit.loops import predict, supervised
from benchbase.kit.memory import ClassMeans
from benchbase.kit.meta import MetaWeighter
from benchbase.running.own_code import own_code
from benchbase.running.snapshots import Keeper
from benchbase.testing.checks.resuming import kept_after, resumed
from benchbase.testing.toy import toy_problem
from benchbase.testing.watching import same, train


class Remembering(LossWeighter):
    """Has a memory that is made in the first step, a stream, and a count."""

    name = "remembering"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        means, stream, steps = None, task.rng("weights"), 0

        def weigh(step: Step) -> Tensor:
            nonlocal means, steps
            if means is None:
                means = ClassMeans(task.num_classes, step.features.shape[1], task.device)
            means.update(step.features, step.batch.labels)
            steps += 1
            lots = torch.rand(len(step.losses), generator=stream)
            return lots * steps / 10 + means.means.mean()

        return weigh


class Learning(MetaWeighter):
    name = "learning"

    def describe(self, task: Task) -> tuple[int, Callable[[Step], Tensor]]:
        return 1, lambda step: step.losses.detach().unsqueeze(1)


class Phases(Weighter):
    """Computes something between two phases, from what the first left."""

    name = "phases"

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        model, first = task.build_model(), task.recipe.epochs // 2
        seen: list[float] = []

        def weigh(step: Step) -> Tensor:
            seen.append(step.losses.mean().item())
            return torch.ones_like(step.losses)

        yield from supervised(task, model, weigh, epochs=0, phase="none")
        weights = None
        for checkpoint in supervised(task, model, weigh, epochs=first, phase="first"):
            weights = checkpoint.weights
            yield checkpoint
        _, logits = predict(task, model, task.train)
        kept = task.train.subset(logits.amax(1) > logits.amax(1).quantile(0.2 + min(seen) / 100))
        yield Checkpoint(model, weights=weights)
        for checkpoint in supervised(task, model, weigh, data=kept, phase="second", epochs=first):
            yield replace(checkpoint, notes={"seen": float(len(seen))})


class Buying(Phases):
    """Buys a label in every epoch."""

    name = "buying"
    needs = frozenset({Need.ORACLE})

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        bought = torch.zeros(len(task.train))

        def weigh(step: Step) -> Tensor:
            if task.oracle.remaining > 3 - step.epoch:
                row = step.batch.rows[:1]
                bought[row] = 1 + task.oracle.query(row).float()
            return 1 + bought[step.batch.rows]

        yield from supervised(task, task.build_model(), weigh)


def problem(weighter):
    return toy_problem(needs=weighter.needs, epochs=4, label_budget=4)


@pytest.mark.parametrize("weighter", [Remembering, Learning, Phases, Buying])
def test_interrupted_anywhere_it_ends_the_same(weighter, tmp_path):
    whole = train(weighter(), problem(weighter))
    for count in range(1, len(whole)):
        kept = kept_after(weighter(), problem(weighter), count, tmp_path / "snapshot")
        again = dict(resumed(weighter(), problem(weighter), kept))
        assert all(same([seen], [whole[index]]) for index, seen in again.items())
        assert again.keys() >= {*range(count, len(whole))}
        assert len(again) < len(whole) or count == 1


def ones(step: Step) -> Tensor:
    return torch.ones_like(step.losses)


class LeavesALoop(Weighter):
    name = "leaves-a-loop"

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        model = task.build_model()
        yield next(supervised(task, model, ones, phase="first"))
        yield from supervised(task, model, ones, phase="second", epochs=1)


class Hiding(LossWeighter):
    name = "hiding"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        counts = (float(count) for count in range(1000))
        return lambda step: ones(step) * next(counts)


@pytest.mark.parametrize("weighter", [LeavesALoop, Hiding])
def test_what_cannot_be_kept_whole_is_not_kept(weighter, tmp_path, capsys):
    kept = kept_after(weighter(), problem(weighter), 2, tmp_path / "snapshot")
    assert len(kept) <= 1  # the loop that was left was kept while it was not
    assert "no snapshots from here on" in capsys.readouterr().err


def test_a_snapshot_is_made_when_it_is_due_and_not_before(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("benchbase.running.snapshots.time.monotonic", lambda: now[0])
    task, path = toy_problem(epochs=4).task, tmp_path / "snapshot"
    keeper = Keeper(task, path, every=60.0, is_own=own_code())
    made = []
    for _ in Remembering().fit(keeper.task):
        made.append(path.exists())
        path.unlink(missing_ok=True)
        now[0] += 31.0
    assert made == [False, False, True, False]
