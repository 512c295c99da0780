"""Example images: which are shown, what is said of them, how much they weigh."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchbase.boards.plan import Condition
from benchbase.data.card import Card
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.data.imbalance import Natural
from benchbase.data.noise import KINDS
from benchbase.data.thumbnails import picture_address
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.site import page
from benchbase.leaderboard.site.examples import LARGEST_BYTES, examples, may_be_shown
from tests.unit.jobs import make_job
from tests.unit.leaderboard.site.hostile import hostile_board
from tests.unit.made_records import make_scenario

NAMES = ("nucleus", "edge", "<i>rare</i>")
CARD = Card("Shades", "CC0", "", "", examples_shown=True)
NOISES = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class Shades(DataSet):
    """Images whose shade is their row, of three classes in turn."""

    name = "shades"
    card: ClassVar[Card | None] = CARD

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        rows = np.arange(90)
        pixels = np.broadcast_to(rows[:, None, None, None], (90, 1, 4, 4)).astype(np.uint8)
        part = Part(pixels, (rows + 1) % 3)
        return DataParts(classes=NAMES, train=part, test=part)


class Bright(Shades):
    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        parts = super().load(roots, scratch)
        part = Part(255 - parts.train.pixels, parts.train.labels)
        return dataclasses.replace(parts, train=part, test=part)


class Forbidden(Shades):
    card: ClassVar[Card | None] = dataclasses.replace(CARD, examples_shown=False)


class Own(Shades):
    card: ClassVar[Card | None] = None


@pytest.fixture
def place(tmp_path):
    def at(rate=0.0, dataset=None, seed=0):
        scenario = dataclasses.replace(make_scenario(rate), dataset="shades", track="T0")
        parts = {
            "dataset": dataset or Shades(),
            "noise": NOISES[scenario.noise](**scenario.noise_options),
            "imbalance": Natural(),
            "roots": (),
            "cache": tmp_path,
            "secret": None,
        }
        return Condition(scenario, seed, parts, make_job("plain").backbone)

    return at


def row_of(picture):
    """Tell which image a picture is."""
    shades = (np.full((1, 4, 4), row, np.uint8) for row in range(90))
    return [picture_address(shade) for shade in shades].index(picture.address)


def test_the_first_image_of_each_class_is_shown(place):
    found = examples([place()], LARGEST_BYTES, wrong=True)
    assert found.credit == "Shades; CC0; shown 127.5 times as bright"
    assert found.brighter == 127.5, "the brightest of these three shades is 2 of 255"
    assert [(one.caption, row_of(one)) for one in found.classes] == [
        ("nucleus", 2), ("edge", 0), ("<i>rare</i>", 1),
    ]  # fmt: skip
    assert (found.noise, found.wrong) == ("", ())


def test_bright_images_are_shown_as_they_are(place):
    found = examples([place(dataset=Bright())], LARGEST_BYTES, wrong=False)
    assert (found.brighter, found.credit) == (1.0, "Shades; CC0")


def test_wrong_labels_are_those_that_methods_see(place):
    places = [place(), place(0.4), place(0.4, seed=1)]
    found = examples(places, LARGEST_BYTES, wrong=True)
    assert found.noise == "symmetric 0.4, seed 0"
    captions = [one.caption for one in found.wrong]
    assert len(captions) == len(set(captions)) == 6
    opened = places[1].open()
    seen = dict(zip(opened.train.pixels[:, 0, 0, 0].tolist(), opened.train.labels, strict=True))
    for picture in found.wrong:
        given, true = picture.caption.split(" → ")
        row = row_of(picture)
        assert true == NAMES[(row + 1) % 3]
        assert given == NAMES[seen[row]] != true
        assert picture.described == f"shades: an image that is labelled {given} and is {true}"
    assert examples(places, LARGEST_BYTES, wrong=True) == found
    assert examples(places, LARGEST_BYTES, wrong=False).wrong == ()


def test_they_weigh_no_more_than_they_may(place):
    whole = examples([place(0.4)], LARGEST_BYTES, wrong=True)
    one = len(whole.classes[0].address)
    few = examples([place(0.4)], 4 * one, wrong=True)
    assert few.classes == whole.classes
    assert few.wrong == whole.wrong[:1]


@pytest.mark.parametrize(("dataset", "shown"), [(Shades(), 1), (Forbidden(), 0), (Own(), 0)])
def test_the_card_must_say_that_images_may_be_shown(place, dataset, shown):
    assert may_be_shown(place(dataset=dataset)) == bool(shown)


def test_the_page_holds_them_with_words_and_nothing_is_fetched(place, monkeypatch):
    monkeypatch.setattr(page, "_bundle", lambda: {"bundle": ""})
    found = examples([place(0.4)], LARGEST_BYTES, wrong=True)
    board, records = hostile_board()
    html = page.board_page(build(board, records), records, examples=[found])
    images = re.findall(r'<img src="([^"]*)" alt="([^"]*)">', html)
    assert [address for address, _ in images] == [
        one.address for one in (*found.classes, *found.wrong)
    ]
    assert images[0][1] == "shades: an image of class nucleus"
    assert "<i>rare" not in html
    assert found.credit in html
    assert html.count(f'class="strip" style="--brighter: {found.brighter}"') == 2
    assert all(address.startswith("data:image/png;base64,") for address, _ in images)
    assert "<img" not in page.board_page(build(board, records), records)
