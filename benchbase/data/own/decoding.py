"""From a listing to the parts of a data set: decoded, of one shape, classes numbered, split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import DataParts, Labels, Part, Pixels
from benchbase.data.own.chunks import Rule, decode_all
from benchbase.data.own.duplicates import near_duplicates
from benchbase.data.own.listing import Listing, classes_of
from benchbase.data.own.reading import RULE_TEXTS, Decoded
from benchbase.data.own.splitting import TEST_SHARE, draw_test, split_text
from benchbase.errors import DataError

Rows = NDArray[np.int64]


def decode(
    listing: Listing, size: int | None, resize: str, scratch: Path, *, skip_bad: bool = False
) -> DataParts:
    """Decode every image of a listing and put it into its part; work lies in ``scratch``.

    Raises:
        DataError: an image cannot be read and is not to be skipped, or has another shape than the
            others, or no split can be drawn.
    """
    try:
        decoded = decode_all(listing, Rule(size, resize, skip_bad), scratch)
    except DataError as error:
        raise DataError(
            f"{listing.where}: {error}: replace it, or leave out all such images with "
            "--on-bad-image skip"
        ) from None
    listing, decoded, skipped = _readable(listing, decoded)
    pixels, notes = _pixels(listing, decoded)
    if size is not None:
        notes = (f"resized to {size} x {size} from {RULE_TEXTS[resize]}", *notes)
    classes = listing.order or classes_of(listing.judging)
    numbers = {name: number for number, name in enumerate(classes)}
    labels, as_given = (
        np.array([numbers[label] for label in texts], dtype=np.int64)
        for texts in (listing.judging, listing.labels)
    )
    groups = _numbered(listing.groups)
    rows, said = _rows(listing, labels, groups, classes)
    notes = (*listing.notes, *notes, *said)
    seen, told_of = _seen(listing, as_given, numbers, rows, classes)
    notes += told_of
    given = None if listing.truths is None else seen
    if given is not None:
        differ = int((given != labels).sum())
        share = f"{differ:,} of {len(labels):,} ({differ / len(labels):.1%})"
        judges = "methods see the one as noise real, the other counts as true and judges"
        notes += (f"two versions of the labels: {share} differ; {judges}",)
    sides = np.empty(len(labels), dtype=object)
    for name, chosen in rows.items():
        sides[chosen] = name
    verified = None if listing.verified is None else np.array(listing.verified)
    judging = rows["test"]
    if verified is not None:
        judging, told = _judging(judging, labels, verified, classes)
        notes += (f"{verified[rows['train']].sum():,} verified images lie in training", told)
    test_verified = verified is not None and bool(verified[judging].all())
    rows["test"] = judging
    whole = Part(pixels, labels if given is not None else seen, given)

    def part(name: str) -> Part | None:
        return whole.take(rows[name]) if len(rows[name]) else None

    train, test, validation = part("train"), part("test"), part("validation")
    assert train is not None
    assert test is not None
    near = near_duplicates(train.pixels, test.pixels)
    if near is None:
        pairs = f"{len(train):,} x {len(test):,} pairs"
        notes += (f"near duplicates were not looked for: {pairs} are too many",)
    elif near:
        notes += (f"{near:,} test images look much like a training image",)
    return DataParts(
        classes=classes,
        train=train,
        test=test,
        validation=validation,
        groups=None if groups is None else groups[rows["train"]],
        test_groups=None if groups is None else groups[rows["test"]],
        verified=None if verified is None else verified[rows["train"]],
        test_verified=test_verified,
        drawn_by=None if listing.corrected is None else labels[rows["train"]],
        notes=notes,
        split_file=split_text(listing.names, list(sides), listing.judging, listing.groups),
        skipped=skipped,
    )


def _readable(
    listing: Listing, decoded: list[Decoded]
) -> tuple[Listing, list[Decoded], tuple[str, ...]]:
    """Leave out what could not be read; give what was left out, and why."""
    skipped = tuple(each.fault for each in decoded if each.fault)
    if not skipped:
        return listing, decoded, ()
    kept = [row for row, each in enumerate(decoded) if not each.fault]
    if not kept:
        raise DataError(
            f"{listing.where}: none of {len(decoded):,} images can be read: {skipped[0]}"
        )
    note = f"{len(skipped):,} of {len(decoded):,} images cannot be read and are left out"
    return listing.take(kept).checked().with_notes(note), [decoded[row] for row in kept], skipped


def _pixels(listing: Listing, decoded: Sequence[Decoded]) -> tuple[Pixels, tuple[str, ...]]:
    remarks = Counter(remark for each in decoded for remark in each.remarks)
    notes = [f"{count:,} of {len(decoded):,} images {text}" for text, count in remarks.items()]
    channels = Counter(len(each.pixels) for each in decoded)
    most = max(channels)
    if len(channels) > 1:
        notes.append(f"{channels[1]:,} of {len(decoded):,} images are grey, repeated as colours")
    shape = (most, *decoded[0].pixels.shape[1:])
    pixels = np.empty((len(decoded), *shape), dtype=np.uint8)
    for index, each in enumerate(decoded):
        if each.pixels.shape[1:] != shape[1:] or len(each.pixels) not in (1, most):
            raise DataError(
                f"{listing.where}: {listing.names[index]} has the shape {each.pixels.shape}, the "
                f"first image {decoded[0].pixels.shape}: set a size"
            )
        pixels[index] = each.pixels  # One channel is repeated.
    return pixels, tuple(notes)


def _numbered(groups: Sequence[str] | None) -> NDArray[np.int64] | None:
    if groups is None:
        return None
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(it, len(numbers)) for it in groups], dtype=np.int64)


def _rows(
    listing: Listing, labels: Labels, groups: NDArray[np.int64] | None, classes: Sequence[str]
) -> tuple[dict[str, Rows], tuple[str, ...]]:
    """Give the rows of each part; a test part that the source has not is drawn from train."""
    given = np.array(listing.parts or ["train"] * len(labels))
    rows = {name: np.flatnonzero(given == name) for name in ("train", "validation", "test")}
    said: list[str] = []
    if not len(rows["train"]):
        raise DataError(f"{listing.where}: no image is for training; expected a part train")
    _refuse_absent(listing, "train", labels[rows["train"]], classes)
    if not len(rows["test"]):
        train = rows["train"]
        own_groups = None if groups is None else np.unique(groups[train], return_inverse=True)[1]
        try:
            tests = draw_test(labels[train], own_groups, classes)
        except DataError as error:
            raise DataError(f"{listing.where}: {error}") from None
        rows["test"], rows["train"] = train[tests], train[~tests]
        whole = "" if own_groups is None else f", whole groups of {own_groups.max() + 1:,}"
        said.append(f"test images drawn: {TEST_SHARE:.0%} of each class{whole}")
    for name in ("train", "test"):
        _refuse_absent(listing, name, labels[rows[name]], classes)
    return rows, tuple(said)


def _seen(
    listing: Listing,
    labels: Labels,
    numbers: Mapping[str, int],
    rows: Mapping[str, Rows],
    classes: Sequence[str],
) -> tuple[Labels, tuple[str, ...]]:
    """Give the labels that are trained on: as given, or corrected but for those of test."""
    if listing.corrected is None:
        return labels, ()
    corrected = np.array([numbers[label] for label in listing.corrected], dtype=np.int64)
    tests = rows["test"]
    left = int((corrected != labels)[tests].sum())
    corrected[tests] = labels[tests]
    _refuse_absent(listing, "train as corrected", corrected[rows["train"]], classes)
    told = f"{(corrected != labels).sum():,} labels corrected outside test"
    if left:
        told += f"; {left:,} corrections of test images are left out, for those labels judge"
    return corrected, (told,)


def _judging(
    tests: Rows, labels: Labels, verified: NDArray[np.bool_], classes: Sequence[str]
) -> tuple[Rows, str]:
    """Give the test images that judge, and what to say of them: verified ones, if of each class."""
    own = tests[verified[tests]]
    counts = np.bincount(labels[own], minlength=len(classes))
    if counts.all():
        return own, f"judged by the {len(own):,} of {len(tests):,} test images that are verified"
    absent = ", ".join(name for name, count in zip(classes, counts, strict=True) if not count)
    return tests, (
        f"{len(own):,} verified images lie in test, none of {absent}: all {len(tests):,} judge, "
        "with labels as given"
    )


def _refuse_absent(listing: Listing, part: str, labels: Labels, classes: Sequence[str]) -> None:
    absent = np.setdiff1d(np.arange(len(classes)), labels)
    if len(absent):
        raise DataError(
            f"{listing.where}: the part {part} holds no image of {classes[absent[0]]!r}: leave "
            "the class out, or give another split"
        )
