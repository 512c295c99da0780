"""The checks of data sets: what is ours passes, and each finds what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.data.digits import Digits
from benchbase.data.nuclei import Nuclei
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import check_plugin, parametrize_with_checks
from tests.conformance.finding import check_finds, each_of, names_of_checks


@parametrize_with_checks([Nuclei, Digits])
def test_our_data_sets_keep_the_contract(dataset, check) -> None:
    check(dataset)


@dataclass(frozen=True)
class Specks(DataSet):
    name = "specks"

    def load(self, roots, scratch) -> Any:
        pixels = numpy_stream("specks").integers(0, 256, (24, 1, 6, 6), dtype=np.uint8)
        labels = np.arange(24) % 2
        return DataParts(("a", "b"), Part(pixels[:16], labels[:16]), Part(pixels[16:], labels[16:]))

    def parts(self, **changes):
        return DataParts(**{**vars(Specks.load(self, [], None)), **changes})


class LostItsFiles(Specks):
    def files(self, roots):
        return [__import__("pathlib").Path("nowhere.npz")]


class ReturnsNothing(Specks):
    def load(self, roots, scratch):
        pass


SHARED = Specks().load([], None)


class SharesItsArrays(Specks):
    def load(self, roots, scratch):
        return SHARED


class NamesTooMany(Specks):
    def load(self, roots, scratch):
        return self.parts(classes=("a", "b", "c"))


class JudgesOnTrain(Specks):
    def load(self, roots, scratch):
        return self.parts(test=self.parts().train)


BROKEN = [
    ("finds_its_files", LostItsFiles, "names nowhere.npz, which is no file"),
    ("gives_images_and_labels_that_fit", ReturnsNothing, "load gave NoneType"),
    ("gives_the_same_again", SharesItsArrays, "share no array between two calls"),
    ("has_images_of_every_class", NamesTooMany, "part train has no image of c"),
    ("keeps_its_test_images_apart", JudgesOnTrain, "16 train in test"),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(Specks)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("datasets")
