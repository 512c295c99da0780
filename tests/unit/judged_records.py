"""Records of made-up predictions, judged as a run judges them and kept in a home."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchbase.cell import DataIdentity, Invariances
from benchbase.data.contract import Part
from benchbase.data.corruption import describe_labels, share_wrong
from benchbase.data.opening import Opened
from benchbase.judging.extra import Extra
from benchbase.judging.judge import Judge
from benchbase.judging.steps import Counted
from benchbase.records.home import Home
from benchbase.records.record import Artefact, Record
from tests.unit.made_records import CORRUPTION, make_cost, make_record

CLASSES, IMAGES, CHECKPOINTS = 3, 40, 10


def judged_record(
    home: Path,
    seed: int = 0,
    *,
    classes: int = CLASSES,
    metrics: tuple[Extra, ...] = (),
    buys: bool = False,
    sure: float = 0.1,
    **fields: Any,
) -> Record:
    """Judge ten checkpoints of random logits; the home keeps what the judge used.

    Each checkpoint leans ``sure`` more to the right class than the one before it.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = rng.integers(classes, size=(2, IMAGES))
    pixels = np.zeros((IMAGES, 1, 1, 1), dtype=np.uint8)
    train, true = (Part(pixels, each) for each in labels)
    opened = Opened(
        classes=tuple("abcdefgh"[:classes]),
        invariances=Invariances(),
        train=train,
        train_true=true.labels,
        trusted=true,
        trusted_labels="clean",
        unlabelled=None,
        unlabelled_true=None,
        validation=train,
        validation_true=true.labels,
        test=true,
        mean=(0.0,),
        std=(1.0,),
        noise_rate=0.0,
        corruption={},
        identity=DataIdentity("", "", ""),
        maps={},
        judged_order=np.arange(0),
    )
    judge = Judge(opened, CHECKPOINTS, metrics)
    for done in range(1, CHECKPOINTS + 1):
        logits = rng.normal(size=(2 * IMAGES, classes)).astype(np.float32)
        logits[np.arange(2 * IMAGES), np.tile(true.labels, 2)] += sure * done
        counted = Counted((done,), done, str(done), 0, None)
        bought = range(min(20, 5 * (done // 3))) if buys else None
        judge.hear(logits - logits.max(axis=1, keepdims=True), None, {}, counted, bought)
    counts = np.bincount(true.labels, minlength=classes).tolist()
    corruption = {
        **CORRUPTION,
        "identifiable": True,
        "classes": [*opened.classes],
        **describe_labels(true.labels, train.labels, classes),
        "trusted_count": IMAGES,
        "trusted_per_class": counts,
        "test_count": IMAGES,
        "validation_class_counts": counts,
        "validation_realised_rate": share_wrong(*labels),
    }
    cost = {**make_cost(10.0), "labels_bought": len(bought or ())}
    fields = {"corruption": corruption, "cost": cost, **judge.conclude(), **fields}
    training = judge.describe_training(CHECKPOINTS, own_network=False)
    record = make_record(seed=seed, data=f"d{seed}", training=training, **fields)
    path = Home(home).predictions(record.key, record.attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **judge.predictions())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return msgspec.structs.replace(record, artefacts={"predictions": Artefact(sha256=digest)})
