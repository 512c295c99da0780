"""Labels as a scenario shows them: noise on train and validation alike, never on test."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np

from benchbase.cell import JSON, Scenario
from benchbase.data.asking import ask_labels, ask_transition, ask_whether_identifiable
from benchbase.data.contract import DataParts, Labels, Noise, Part, Pixels
from benchbase.data.split import Rows, Split, draw, with_unlabelled
from benchbase.seeding import numpy_stream

NOISY_TRUSTED = 10
"""Observed rows a class that the harness takes from train as the meta set of track T0."""


@dataclass(frozen=True)
class Observed:
    """A split with the labels that the scenario shows."""

    split: Split
    """In track T0 the noisy trusted rows have left train."""
    train: Labels
    validation: Labels
    trusted: Labels
    trusted_part: Part
    """What ``split.trusted`` indexes."""
    validation_part: Part
    """What ``split.validation`` indexes."""


class _Taken(Part):
    """Rows of a part, of a noise's own; most kinds never look at the pixels, which are many."""

    _whole: Part
    _rows: Rows

    def __init__(self, part: Part, rows: Rows) -> None:
        given = None if part.given is None else part.given[rows]
        vars(self).update(labels=part.labels[rows], given=given, _whole=part, _rows=rows)

    @functools.cached_property
    def pixels(self) -> Pixels:
        """A copy of the images, once somebody asks for them."""
        return np.asarray(self._whole.pixels[self._rows])


def observe(
    parts: DataParts, drawn: Split, scenario: Scenario, noise: Noise, seed: int | str
) -> Observed:
    """Corrupt the labels of train and validation; in track T0, take the meta set from train.

    Raises:
        UsageError: the noise does not exist for these classes, or an option must be set.
        PluginError: the noise failed, or gave something other than labels.
    """
    ask_transition(noise, len(parts.classes))  # Refuses what does not exist.
    validation_part = parts.train if parts.validation is None else parts.validation
    trusted_part = parts.train if parts.trusted is None else parts.trusted

    def corrupt(name: str, part: Part, rows: Rows) -> Labels:
        return ask_labels(
            noise,
            _Taken(part, rows),
            len(parts.classes),
            rng=numpy_stream(seed, "noise", name),
            shared=numpy_stream(seed, "noise", "shared"),
        )

    # Before some labels are withheld, so that an image shows the same one under any fraction.
    rows = with_unlabelled(drawn, seed)
    seen = np.zeros(len(parts.train), dtype=np.int64)
    seen[rows] = corrupt("train", parts.train, rows)
    train = seen[drawn.train]
    trusted = trusted_part.labels[drawn.trusted]
    if scenario.track == "T0":
        # At most half of a class: the meta set of a rare one must not empty it.
        counts = np.bincount(train, minlength=len(parts.classes))
        meta = draw(
            train, np.minimum(NOISY_TRUSTED, counts // 2), numpy_stream(seed, "noisy trusted")
        )
        meta = numpy_stream(seed, "noisy trusted rows").permutation(meta)
        trusted, trusted_part = train[meta], parts.train
        drawn = dataclasses.replace(
            drawn, train=np.delete(drawn.train, meta), trusted=drawn.train[meta]
        )
        train = np.delete(train, meta)
    return Observed(
        split=drawn,
        train=train,
        validation=corrupt("validation", validation_part, drawn.validation),
        trusted=trusted,
        trusted_part=trusted_part,
        validation_part=validation_part,
    )


def share_wrong(true: Labels, seen: Labels) -> float:
    """Give the realised noise rate."""
    return float((true != seen).mean()) if len(true) else 0.0


def count_classes(labels: Labels, num_classes: int) -> list[int]:
    """Count the images of each class."""
    counts: list[int] = np.bincount(labels, minlength=num_classes).tolist()
    return counts


def describe_labels(true: Labels, seen: Labels, num_classes: int) -> JSON:
    """Give realised rates, transition matrix and class counts, as a record holds them."""
    confusion = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(confusion, (true, seen), 1)
    # A class that track T0 emptied keeps a row of zeros.
    transition = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    wrong = confusion.sum(axis=1) - np.diag(confusion)
    return {
        "realised_rate": share_wrong(true, seen),
        "transition": transition.tolist(),
        "rate_per_class": (wrong / np.maximum(confusion.sum(axis=1), 1)).tolist(),
        "class_counts": confusion.sum(axis=1).tolist(),
        "observed_counts": confusion.sum(axis=0).tolist(),
    }


def describe_corruption(parts: DataParts, observed: Observed, noise: Noise) -> JSON:
    """Tell what was done to the data: what of a record's block follows from the labels alone."""
    classes, rows = len(parts.classes), observed.split
    described = describe_labels(parts.train.labels[rows.train], observed.train, classes)
    validation_true = observed.validation_part.labels[rows.validation]
    return {
        "identifiable": ask_whether_identifiable(noise, np.array(described["transition"])),
        **described,
        "validation_realised_rate": share_wrong(validation_true, observed.validation),
        "validation_class_counts": count_classes(validation_true, classes),
        "trusted_count": len(observed.trusted),
        "trusted_per_class": count_classes(observed.trusted, classes),
        "unlabelled_count": len(rows.unlabelled),
        "classes": list(parts.classes),
        "test_count": len(parts.test),
        "test_verified": parts.test_verified,
        "notes": list(parts.notes),
    }
