"""The same predictions get the same scores while RESULTS_VERSION stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchbase.cell import DataIdentity, Invariances
from benchbase.data.contract import Part
from benchbase.data.opening import Opened
from benchbase.judging.judge import Judge
from benchbase.judging.steps import Counted
from benchbase.seeding import numpy_stream
from benchbase.testing.golden import Run

CHECKPOINTS = 6
CLASSES = 3


def part(labels: np.ndarray) -> Part:
    return Part(np.zeros((len(labels), 1, 2, 2), dtype=np.uint8), labels)


def make_judge() -> Judge:
    """Judge 120 images by 60 others; a third of the labels of training are wrong."""
    labels = np.arange(120) % CLASSES
    observed = np.where(np.arange(120) % 4 == 0, (labels + 1) % CLASSES, labels)
    opened = Opened(
        classes=("a", "b", "c"),
        invariances=Invariances(flips="none"),
        train=part(observed),
        train_true=labels,
        trusted=part(labels[:6]),
        trusted_labels="clean",
        unlabelled=None,
        unlabelled_true=None,
        validation=part(observed[:60]),
        validation_true=labels[:60],
        test=part(labels),
        mean=(0.0,),
        std=(1.0,),
        noise_rate=0.0,
        corruption={},
        identity=DataIdentity("", "", ""),
        maps={},
        judged_order=np.arange(0),
    )
    return Judge(opened, epochs=CHECKPOINTS)


def hear(judge: Judge) -> None:
    """Tell it of a model that gets better and of weights that do."""
    rng = numpy_stream("golden scores")
    opened = judge.opened
    true = np.concatenate([opened.validation_true, opened.test.labels])
    is_right = opened.train.labels == opened.train_true
    for checkpoint in range(CHECKPOINTS):
        logits = rng.standard_normal((len(true), CLASSES))
        logits += 0.5 * checkpoint * np.eye(CLASSES)[true]
        weights = is_right * 0.2 * checkpoint + rng.random(len(is_right))
        counted = Counted((10 * (checkpoint + 1),), 10 * (checkpoint + 1), str(checkpoint), 0, None)
        judge.hear(
            logits.astype(np.float32),
            weights.astype(np.float32),
            {"loss": 1.0 / (checkpoint + 1)},
            counted,
            range(5 * checkpoint),
        )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give what a verdict holds under each name; a list is one value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, f"{path}/{name}")
    else:
        yield path[1:], value


def numbers(value: Any) -> list[float | None]:
    """Give the numbers of a value; a text or a score that does not exist is none."""
    values = value if isinstance(value, list | tuple) else [value]
    return [float(each) if isinstance(each, int | float) else None for each in values]


def test_scores_are_those_of_this_results_version(guard_runs) -> None:
    judge = make_judge()
    hear(judge)
    runs = {
        path: Run(hashlib.sha256(repr(value).encode()).hexdigest()[:16], [numbers(value)])
        for path, value in leaves(judge.conclude())
    }
    guard_runs("scores", "", runs)
