"""Example images of a data set for a page, where its licence lets them be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchbase.boards.plan import Condition
from benchbase.data.cache import prepare
from benchbase.data.contract import DataParts
from benchbase.data.corruption import Observed
from benchbase.data.opening import draw
from benchbase.data.thumbnails import picture_address
from benchbase.leaderboard.pages.captions import noise_labels

LARGEST_BYTES = 60_000
"""Of all images of a page together."""
SIDE = 48
"""Longer sides are averaged to so many pixels."""
MOST_CLASSES = 20
MOST_WRONG = 6
DARK = 170
"""Where no pixel is brighter than this, images are hard to see."""


@dataclass(frozen=True)
class Picture:
    """One image and what it is."""

    address: str
    caption: str
    described: str
    brightest: int
    """Of its pixels, up to 255."""


@dataclass(frozen=True)
class Examples:
    """What a page shows of a data set."""

    data: str
    credit: str
    """Whose the images are, and on which terms they are shown."""
    brighter: float
    """How many times as bright as they are the page is to show them."""
    classes: tuple[Picture, ...]
    noise: str
    """What the wrong labels are of; empty where there are none."""
    wrong: tuple[Picture, ...]


def may_be_shown(place: Condition) -> bool:
    """Tell whether a card says so of the images; those without a card are never shown."""
    card = place.parts["dataset"].card
    return card is not None and card.examples_shown


def examples(places: Sequence[Condition], budget: int, *, wrong: bool) -> Examples:
    """Give the first training image of each class, and some that have wrong labels.

    ``places`` are the conditions of one data set, which may be shown; the wrong labels are those
    of the first one that has any. All addresses together are at most ``budget`` bytes.

    Raises:
        UsageError: a scenario asks for what the data set cannot give.
        DataError: a data file is missing or damaged.
    """
    parts = places[0].parts
    data, card = places[0].scenario.data, parts["dataset"].card
    images = prepare(parts["dataset"], parts["roots"], parts["cache"]).parts
    of_classes = _within(budget, _of_classes(data, images))
    left = budget - sum(len(one.address) for one in of_classes)
    noise, pictures = _wrong(data, images, places, left) if wrong else ("", ())
    brighter = _brighter((*of_classes, *pictures))
    credit = [card.source, card.licence, *[f"shown {brighter:g} times as bright"] * (brighter > 1)]
    return Examples(data, "; ".join(credit), brighter, of_classes, noise, pictures)


def _brighter(pictures: Sequence[Picture]) -> float:
    """Give by what dark images are to be brightened, for their brightest pixel to be white."""
    brightest = max((one.brightest for one in pictures), default=0)
    return round(255 / brightest, 1) if 0 < brightest < DARK else 1.0


def _of_classes(data: str, images: DataParts) -> Iterator[Picture]:
    for label, name in [*enumerate(images.classes)][:MOST_CLASSES]:
        rows = np.flatnonzero(images.train.labels == label)
        if len(rows):
            yield _picture(images, int(rows[0]), name, f"{data}: an image of class {name}")


def _wrong(
    data: str, images: DataParts, places: Sequence[Condition], budget: int
) -> tuple[str, tuple[Picture, ...]]:
    """Give what is wrong in the first condition in which anything is."""
    for place in places:
        if place.scenario.noise != "none":
            found = _within(budget, _mistaken(data, images, _observed(place)))
            if found:
                [noise] = noise_labels([place.scenario])
                return f"{noise}, seed {place.seed}", found
    return "", ()


def _observed(place: Condition) -> Observed:
    parts = place.parts
    prepared = prepare(parts["dataset"], parts["roots"], parts["cache"])
    return draw(
        prepared, place.scenario, place.seed, parts["noise"], parts["imbalance"], secret=None
    )


def _mistaken(data: str, images: DataParts, observed: Observed) -> Iterator[Picture]:
    """Give an image for each pair of given and true class, the pairs met first."""
    rows, seen = observed.split.train, observed.train
    true = images.train.labels[rows]
    pairs: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(seen != true):
        pairs.setdefault((int(seen[at]), int(true[at])), int(rows[at]))
    for (given, right), row in [*pairs.items()][:MOST_WRONG]:
        one, other = images.classes[given], images.classes[right]
        described = f"{data}: an image that is labelled {one} and is {other}"
        yield _picture(images, row, f"{one} → {other}", described)


def _picture(images: DataParts, row: int, caption: str, described: str) -> Picture:
    pixels = np.asarray(images.train.pixels[row])
    return Picture(picture_address(pixels, SIDE), caption, described, int(pixels.max()))


def _within(budget: int, pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Take pictures while they fit."""
    taken: list[Picture] = []
    for picture in pictures:
        budget -= len(picture.address)
        if budget < 0:
            break
        taken.append(picture)
    return tuple(taken)
