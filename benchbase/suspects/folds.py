"""Networks out of fold: each image is judged by one that never saw it."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, wait

import numpy as np

from benchbase.data.contract import Labels
from benchbase.seeding import stream_seed
from benchbase.suspects.labelled import Labelled, draw_folds
from benchbase.suspects.noise import Noise, Scores, suggest_noise
from benchbase.suspects.training import School, predict_held

TOO_LATE = "the time ran out before each image was judged by a network out of fold"


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Start processes that train networks; whatever they still do ends with the block."""
    before = multiprocessing.active_children()
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            if child not in before:
                child.kill()


def folds_of(images: Labelled) -> Labels:
    """Give each image its fold, the same one each time.

    Raises:
        DataError: a class cannot be learned out of fold.
    """
    seed = stream_seed(0, "suspects", "folds") % 2**32
    return draw_folds(images.labels, images.groups, images.classes, seed)


def out_of_fold(pool: Executor, school: School, labels: Labels, folds: Labels) -> Scores | None:
    """Give the probabilities of each image, shape (snapshots, images, classes).

    None where the time ran out.
    """
    held = [np.flatnonzero(folds == fold) for fold in range(folds.max() + 1)]
    trained = [np.flatnonzero(folds != fold) for fold in range(folds.max() + 1)]
    asked = [
        pool.submit(predict_held, school, labels, *rows) for rows in zip(trained, held, strict=True)
    ]
    _, late = wait(asked, timeout=max(0.0, school.deadline - time.time()))
    if late:
        return None
    parts = [each.result() for each in asked]
    snapshots = np.empty((school.snapshots, len(labels), len(school.classes)))
    for rows, part in zip(held, parts, strict=True):
        if part is None:
            return None
        snapshots[:, rows] = part
    return snapshots


def estimate_noise(school: School, images: Labelled, workers: int) -> Noise | None:
    """Say what the labels suggest of their noise; None where the time ran out.

    Raises:
        DataError: a class cannot be learned out of fold.
    """
    folds = folds_of(images)
    with processes(workers) as pool:
        snapshots = out_of_fold(pool, school, images.labels, folds)
    if snapshots is None:
        return None
    return suggest_noise(images.labels, snapshots.mean(axis=0), images.verified)
