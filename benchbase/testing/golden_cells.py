"""The runs that a golden holds: small, whole, and through benchbase's own kit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from benchbase.api import Backbone, Checkpoint, ImageShape, LossWeighter, Need, Weighter
from benchbase.judging.metrics import probabilities
from benchbase.options import construct, options_of
from benchbase.seeding import seeded, torch_stream
from benchbase.testing.golden import Row, Run, guard
from benchbase.testing.toy import ToyProblem, toy_problem
from benchbase.testing.watching import predict, watch

T = TypeVar("T")
EPOCHS = 6
"""Enough for whoever divides them among several phases."""
EPOCHS_OF_A_CHOICE = 3
"""Of a method that is the same in every step."""


def guard_class(cls: type[Weighter] | type[Backbone], folder: Path, *, renew: bool = False) -> None:
    """Run a weighter or a backbone on toys and compare with its golden in ``folder``.

    Raises:
        AssertionError: results changed and its version did not; the message says what to do.
    """
    __tracebackhide__ = True
    version = cls.__dict__.get("version", "")
    assert version, f'{cls.__name__} states no version for a golden to guard: version = "1"'
    runs = dict(_weighter_runs(cls) if issubclass(cls, Weighter) else _backbone_runs(cls))
    guard(cls.name, version, runs, folder / f"{cls.name}.json", renew=renew)


def _weighter_runs(weighter: type[Weighter]) -> Iterator[tuple[str, Run]]:
    """Run it by every choice, and without unlabelled images where it asks for some."""
    epochs = EPOCHS
    for name, method in _settings(weighter):
        yield name, run_of(method, _problem(weighter, epochs=epochs))
        if issubclass(weighter, LossWeighter):
            epochs = EPOCHS_OF_A_CHOICE
    if Need.UNLABELLED in weighter.needs:
        yield "without unlabelled images", run_of(weighter(), _problem(weighter, unlabelled=False))


def _backbone_runs(backbone: type[Backbone]) -> Iterator[tuple[str, Run]]:
    """Show two images to fresh networks, one by every choice."""
    images = torch.randn(2, 3, 32, 32, generator=torch_stream(0, "golden"))
    for name, built in _settings(backbone):
        with seeded(0, "golden"), torch.inference_mode():
            logits = built.build(ImageShape(3, 32, 32), 4).eval()(images)
        yield name, Run(hashlib.sha256(_bytes(logits)).hexdigest()[:16], logits.tolist())


def _settings(cls: type[T]) -> Iterator[tuple[str, T]]:
    """Give it as it is, and with each choice that an option offers besides."""
    yield "as it is", cls()
    for spec in options_of(cls):
        choices = (False, True) if spec.type == "bool" else spec.choices or ()
        for choice in choices:
            if choice != spec.default:
                yield f"{spec.name}={choice}", construct(cls, {spec.name: choice})


def _problem(
    weighter: type[Weighter], *, unlabelled: bool = True, epochs: int = EPOCHS
) -> ToyProblem:
    return toy_problem(
        needs=weighter.needs,
        per_class=12,
        imbalance=2.0,
        unlabelled=unlabelled,
        label_budget=4,
        epochs=epochs,
    )


def run_of(weighter: Weighter, problem: ToyProblem) -> Run:
    """Train to the end; a row a checkpoint: loss, mean weight of right and wrong labels, Brier."""
    digest = hashlib.sha256()
    rows = []
    for checkpoint in watch(weighter, problem):
        logits = predict(checkpoint.model, problem)
        digest.update(_bytes(logits))
        if checkpoint.weights is not None:
            digest.update(_bytes(checkpoint.weights))
        rows.append(_row(checkpoint, logits, problem))
    return Run(digest.hexdigest()[:16], rows)


def _bytes(values: Tensor) -> bytes:
    return values.detach().cpu().contiguous().numpy().tobytes()


def _row(checkpoint: Checkpoint, logits: Tensor, problem: ToyProblem) -> Row:
    means: Row = [None, None]
    if checkpoint.weights is not None:
        is_right = problem.task.train.labels == problem.truth
        means = [_mean(checkpoint.weights[rows]) for rows in (is_right, ~is_right)]
    one_hot = np.eye(logits.shape[1])[problem.test_labels.numpy()]
    brier = ((probabilities(logits.numpy()) - one_hot) ** 2).sum(axis=1).mean()
    return [checkpoint.notes.get("loss"), *means, float(brier)]


def _mean(weights: Tensor) -> float | None:
    seen = weights[~weights.isnan()]
    return float(seen.mean()) if len(seen) else None
