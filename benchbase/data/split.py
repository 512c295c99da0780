"""Which image goes where, for one scenario at one seed: trusted, validation, train, unlabelled.

True labels decide here, labels as observed come later (``opening``). Each decision has a random
stream of its own, so that another noise rate, say, leaves the split as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import Scenario, format_label
from benchbase.data.asking import ask_counts
from benchbase.data.contract import DataParts, Imbalance, Labels
from benchbase.errors import UsageError
from benchbase.seeding import numpy_stream

Rows = NDArray[np.int64]
Counts = NDArray[np.int64]

META_IMAGES = 1000
META_SHARE = 20
"""Track TM grants at most one trusted image for this many training images."""
VALIDATION_SHARE = 6
VALIDATION_LIMIT = 10_000
FEWEST_LABELLED = 5
"""Labelled images that a class keeps under any label fraction; all, where it has fewer."""


@dataclass(frozen=True)
class Split:
    """Indices into the parts of the data set; what is trusted is nowhere else."""

    train: Rows
    unlabelled: Rows
    """More rows of train, whose labels are withheld."""
    validation: Rows
    """Rows of the data set's validation part, or of train where it has none."""
    trusted: Rows
    """Rows of the data set's trusted pool, or of train where it has none; none in track T0."""


def split(parts: DataParts, scenario: Scenario, imbalance: Imbalance, seed: int | str) -> Split:
    """Draw the split: trusted, validation, training set size, imbalance, labelled share.

    Raises:
        UsageError: the data set has too few images for what the scenario asks.
    """
    labels = parts.split_labels
    free = np.arange(len(labels))
    trusted = _trusted(parts, scenario, seed)
    if parts.trusted is None:
        free = np.setdiff1d(free, trusted, assume_unique=True)
    if parts.validation is None:
        validation = free[_validation(parts, scenario, free, trusted, seed)]
        free = np.setdiff1d(free, validation, assume_unique=True)
        if scenario.track == "TV" and parts.groups is not None:
            beside = np.isin(parts.groups[trusted], parts.groups[validation])
            validation = np.union1d(validation, trusted[beside])
            trusted = trusted[~beside]
        validation_labels = labels
        if scenario.train_size is not None:
            # In proportion to a smaller training set, or judging would cost more than training.
            fewer = max(1, scenario.train_size // (VALIDATION_SHARE - 1))
            validation = _stratified(validation, labels, fewer, seed, "validation size")
    else:
        validation = np.arange(len(parts.validation))
        validation_labels = parts.validation.labels
    if scenario.track == "TV":
        _refuse_few_verified(parts, trusted, free)
    train = free
    if scenario.train_size is not None:
        if not len(parts.classes) <= scenario.train_size <= len(train):
            raise UsageError(
                f"train size {scenario.train_size}: {scenario.data} can give "
                f"{len(parts.classes)} to {len(train)} training images in track {scenario.track}"
            )
        train = _drawn_to_size(train, parts, scenario.train_size, seed)
    order = class_order(scenario, len(parts.classes), seed)
    available = np.bincount(labels[train], minlength=len(parts.classes))
    counts = imbalanced(available, imbalance, order)
    if not counts.all():
        lost = int(counts.argmin())
        raise UsageError(
            f"imbalance {format_label(scenario.imbalance, scenario.imbalance_options)} leaves no "
            f"training image of class {parts.classes[lost]!r} ({available[lost]} of "
            f"{available.sum()} before): use a smaller ratio or more training images"
        )
    train = train[draw(labels[train], counts, numpy_stream(seed, "imbalance", "train"))]
    validation_labels = validation_labels[validation]
    available = np.bincount(validation_labels, minlength=len(parts.classes))
    counts = np.maximum(imbalanced(available, imbalance, order), np.minimum(available, 1))
    rng = numpy_stream(seed, "imbalance", "validation")
    validation = validation[draw(validation_labels, counts, rng)]
    train, unlabelled = _labelled(train, labels, scenario, seed)
    # Shuffled, so that a row's place says nothing about its class.
    shuffle = numpy_stream(seed, "rows").permutation
    return Split(*(shuffle(rows) for rows in (train, unlabelled, validation, trusted)))


def with_unlabelled(drawn: Split, seed: int | str) -> Rows:
    """Give the rows of train and unlabelled, in the order of train where no label is withheld."""
    return numpy_stream(seed, "rows").permutation(
        np.sort(np.concatenate([drawn.train, drawn.unlabelled]))
    )


def draw(labels: Labels, counts: Counts, rng: np.random.Generator) -> Rows:
    """Draw ``counts[c]`` positions of each class ``c``; a smaller count draws some of the same."""
    order = np.lexsort((rng.random(len(labels)), labels))
    sizes = np.bincount(labels, minlength=len(counts))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - starts[labels[order]]
    return np.flatnonzero(rank < counts[labels])


def proportional(sizes: Counts, total: int) -> Counts:
    """Share ``total`` out in proportion to ``sizes``: largest remainders first."""
    exact = total * sizes / sizes.sum()
    counts: Counts = np.floor(exact).astype(np.int64)
    remainders = np.argsort(-(exact - counts), kind="stable")
    counts[remainders[: total - counts.sum()]] += 1
    return counts


def trusted_per_class(track: str, num_train: int, num_classes: int) -> int:
    """Trusted images a class that a track grants: T0 none, Tk k, TM a balanced meta set.

    Track TV, which grants all verified images, has no such number.

    Raises:
        UsageError: there is no such track.
    """
    if track == "TM":
        return min(META_IMAGES, num_train // META_SHARE) // num_classes
    if not re.fullmatch(r"T\d+", track):
        raise UsageError(
            f"track {track!r}: expected T0 (no trusted images), Tk (k of them a class, such as "
            "T10), TM (a balanced meta set) or TV (those that somebody verified)"
        )
    return int(track[1:])


def _stratified(rows: Rows, labels: Labels, total: int, seed: int | str, stream: str) -> Rows:
    sizes = np.bincount(labels[rows])
    counts = proportional(sizes, min(total, len(rows)))
    return rows[draw(labels[rows], counts, numpy_stream(seed, stream))]


def _drawn_to_size(train: Rows, parts: DataParts, size: int, seed: int | str) -> Rows:
    labels = parts.split_labels
    drawn = _stratified(train, labels, size, seed, "train size")
    before, after = (
        np.bincount(labels[rows], minlength=len(parts.classes)) for rows in (train, drawn)
    )
    lost = np.flatnonzero((before > 0) & (after == 0))
    if len(lost):
        raise UsageError(
            f"train size {size} leaves no training image of class {parts.classes[lost[0]]!r} "
            f"({before[lost[0]]} of {before.sum()} before, and classes keep their shares): use "
            "more training images"
        )
    return drawn


def _trusted(parts: DataParts, scenario: Scenario, seed: int | str) -> Rows:
    num_classes = len(parts.classes)
    if scenario.track == "TV":
        return _all_verified(parts, scenario)
    pool = parts.split_labels if parts.trusted is None else parts.trusted.labels
    rows = np.arange(len(pool))
    if parts.trusted is None and parts.verified is not None:
        rows = np.flatnonzero(parts.verified)
    available = np.bincount(pool[rows], minlength=num_classes)
    num_train = scenario.train_size or len(parts.train)
    wanted = trusted_per_class(scenario.track, num_train, num_classes)
    # From train, every class keeps at least one image.
    room = np.bincount(pool, minlength=num_classes) - (parts.trusted is None)
    room = np.minimum(available, room)
    rarest = int(room.argmin())
    most = max(0, int(room[rarest]))
    if scenario.track == "TM":
        wanted = min(wanted, most)
        if wanted < 1:
            raise UsageError(
                f"track TM: 1 in {META_SHARE} of {num_train} training images is less than one for "
                f"each of {num_classes} classes: use more training images, or a track such as T5"
            )
    if wanted > most:
        raise UsageError(
            f"track {scenario.track}: {scenario.data} can give 0 to {most} trusted images a "
            f"class (the rarest, {parts.classes[rarest]!r}, has {available[rarest]})"
        )
    return rows[draw(pool[rows], np.full(num_classes, wanted), numpy_stream(seed, "trusted"))]


def _all_verified(parts: DataParts, scenario: Scenario) -> Rows:
    """Give every training image whose label was verified, where each class has some and others."""
    if parts.verified is None:
        raise UsageError(
            f"track TV: nobody has verified labels of {scenario.data}: name the rows with "
            "--trusted, or choose another track"
        )
    rows = np.flatnonzero(parts.verified)
    _refuse_few_verified(parts, rows, np.flatnonzero(~parts.verified))
    return rows


def _refuse_few_verified(parts: DataParts, trusted: Rows, train: Rows) -> None:
    for label, name in enumerate(parts.classes):
        verified, others = (int((parts.train.labels[it] == label).sum()) for it in (trusted, train))
        if not verified or not others:
            raise UsageError(
                f"track TV: of class {name!r}, {verified} training images are verified and "
                f"{others} are not; expected some of both: verify others, or choose track T0 "
                "(nobody gets them) or one such as T5 (five a class)"
            )


def _validation(
    parts: DataParts, scenario: Scenario, free: Rows, trusted: Rows, seed: int | str
) -> Rows:
    """Give positions in ``free``; whole groups where they are known, else stratified."""
    total = min(len(parts.train) // VALIDATION_SHARE, VALIDATION_LIMIT)
    labels = parts.split_labels[free]
    rng = numpy_stream(seed, "split")
    if parts.groups is None:
        return draw(labels, proportional(np.bincount(labels), total), rng)
    groups = parts.groups[free]
    names, sizes = np.unique(groups, return_counts=True)
    # A group that gave trusted images stays on the side of training; of verified ones, all may.
    candidates = rng.permutation(len(names))
    if parts.trusted is None and scenario.track != "TV":
        candidates = candidates[~np.isin(names[candidates], parts.groups[trusted])]
    chosen = candidates[np.cumsum(sizes[candidates]) <= total]
    if not len(chosen):
        raise UsageError(
            f"no group of images is small enough for a validation set of {total}: "
            f"the data set has {len(names)} groups of {sizes.min()} to {sizes.max()} images"
        )
    return np.flatnonzero(np.isin(groups, names[chosen]))


def class_order(scenario: Scenario, num_classes: int, seed: int | str) -> Rows:
    """Give the classes in the order of the long tail: the data set's, or one drawn for the seed."""
    if scenario.order_drawn:
        return numpy_stream(seed, "imbalance", "order").permutation(num_classes)
    return np.arange(num_classes)


def imbalanced(available: Counts, imbalance: Imbalance, order: Rows) -> Counts:
    """Give how many images of each class an imbalance keeps that meets the classes in ``order``."""
    # A class that is absent must not hold the others down.
    supposed = np.where(available == 0, available.max(), available)
    counts = np.empty_like(available)
    counts[order] = ask_counts(imbalance, supposed[order])
    return np.minimum(counts, available)


def _labelled(
    train: Rows, labels: Labels, scenario: Scenario, seed: int | str
) -> tuple[Rows, Rows]:
    fraction = scenario.label_fraction
    if fraction is None:
        return train, train[:0]
    if not 0 < fraction <= 1:
        raise UsageError(f"label fraction {fraction:g}: expected more than 0 and at most 1")
    sizes = np.bincount(labels[train])
    counts = np.maximum(
        np.rint(fraction * sizes).astype(np.int64), np.minimum(sizes, FEWEST_LABELLED)
    )
    chosen = draw(labels[train], counts, numpy_stream(seed, "labelled"))
    return train[chosen], np.delete(train, chosen)
