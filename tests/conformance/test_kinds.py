"""The checks of every other kind: what is ours passes, and each finds what it is for."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchbase.api import Backbone, Classifier
from benchbase.backbones.resnet32 import ResNet32
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.data.contract import DataParts, DataSet, Imbalance, Noise, Part
from benchbase.data.digits import Digits
from benchbase.data.imbalance import Exponential, Natural, Step
from benchbase.data.noise import InstanceNoise, MatrixNoise, NoNoise, PairNoise, SymmetricNoise
from benchbase.data.nuclei import Nuclei
from benchbase.errors import PluginError
from benchbase.judging.metrics import Metric
from benchbase.running.executors.contract import Execution, Executor, Slot
from benchbase.running.executors.inline import InlineExecutor
from benchbase.running.executors.local import LocalExecutor
from benchbase.seeding import numpy_stream
from benchbase.testing.checks import CHECKS
from benchbase.testing.conformance import check_plugin, kind_of, parametrize_with_checks


@parametrize_with_checks([SymmetricNoise, PairNoise, InstanceNoise, NoNoise])
def test_our_noises_keep_the_contract(noise, check) -> None:
    check(noise)


@parametrize_with_checks([Natural, Exponential, Step])
def test_our_imbalances_keep_the_contract(imbalance, check) -> None:
    check(imbalance)


@parametrize_with_checks([SmallCNN, ResNet32])
def test_our_small_backbones_keep_the_contract(backbone, check) -> None:
    check(backbone)


@parametrize_with_checks([LocalExecutor, InlineExecutor])
def test_our_executors_keep_the_contract(executor, check) -> None:
    check(executor)


@parametrize_with_checks([Nuclei, Digits])
def test_our_data_sets_keep_the_contract(dataset, check) -> None:
    check(dataset)


def test_classes_of_two_kinds_are_refused() -> None:
    with pytest.raises(PluginError, match="one kind, got imbalances, noises"):
        parametrize_with_checks([Natural, NoNoise])
    with pytest.raises(PluginError, match="is no plugin: expected a subclass of one of Weighter"):
        kind_of(int)


calls = itertools.count()


class Plate(Backbone):
    name = "plate"

    def build(self, shape, num_classes) -> Any:
        return Flat(shape.channels, num_classes)


class Flat(Classifier):
    def __init__(self, channels, num_classes):
        super().__init__()
        self.body = nn.Conv2d(channels, 4, 3)
        self.head = nn.Linear(4, num_classes)

    def features(self, images):
        return self.body(images).mean((2, 3))


class FewLogits(Plate):
    def build(self, shape, num_classes):
        return super().build(shape, 2)


class Square(Plate):
    def build(self, shape, num_classes):
        model = super().build(shape, num_classes)
        model.body = nn.Sequential(model.body, nn.Unflatten(2, (shape.width - 2, 1)), nn.Flatten(3))
        return model


class Remembering(Plate):
    def build(self, shape, num_classes):
        model = super().build(shape, num_classes)
        nn.init.constant_(model.head.bias, next(calls))
        return model


class Constant(Plate):
    def build(self, shape, num_classes):
        model = super().build(shape, num_classes)
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.1)
        return model


class TwoHeads(Flat):
    def forward(self, images):
        return 2 * super().forward(images)


class ReadsElsewhere(Plate):
    def build(self, shape, num_classes):
        return TwoHeads(shape.channels, num_classes)


class Centred(Flat):
    def features(self, images):
        found = super().features(images)
        return found - found.mean(0)


class LooksAround(Plate):
    def build(self, shape, num_classes):
        return Centred(shape.channels, num_classes)


class HoldsALambda(Plate):
    def build(self, shape, num_classes):
        model = super().build(shape, num_classes)
        model.extra = lambda: None
        return model


class Detached(Flat):
    def features(self, images):
        return super().features(images).detach()


class CutsTheGraph(Plate):
    def build(self, shape, num_classes):
        return Detached(shape.channels, num_classes)


class Shifted(Flat):
    def features(self, images):
        return super().features(images) + torch.ones(4)


class StaysOnTheHost(Plate):
    def build(self, shape, num_classes):
        return Shifted(shape.channels, num_classes)


class Scaled(Flat):
    def features(self, images):
        found = super().features(images)
        return found / (1 + found.detach().abs().max().item())


class ReadsItsFeatures(Plate):
    def build(self, shape, num_classes):
        return Scaled(shape.channels, num_classes)


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


@dataclass(frozen=True)
class Flip(Noise):
    name = "flip"
    rate: float = 0.5

    def corrupt(self, part, num_classes, rng, shared) -> Any:
        wrong = rng.random(len(part)) < self.rate
        return np.where(wrong, (part.labels + 1) % num_classes, part.labels)

    def transition(self, num_classes):
        unmoved = np.eye(num_classes)
        return (1 - self.rate) * unmoved + self.rate * np.roll(unmoved, 1, 1)


class GivesFloats(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        return super().corrupt(part, num_classes, rng, shared) + 0.0


class NeedsAnImage(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        assert part.pixels.max() >= 0
        return super().corrupt(part, num_classes, rng, shared)


class DrawsElsewhere(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        moved = numpy_stream("flip", str(next(calls)))
        return super().corrupt(part, num_classes, moved, shared)


class Halves(Flip):
    def corrupt(self, part, num_classes, rng, shared):
        return Flip(self.rate / 2).corrupt(part, num_classes, rng, shared)


@dataclass(frozen=True)
class Scarce(Imbalance):
    name = "scarce"
    ratio: float = 3.0

    def counts(self, available) -> Any:
        return np.maximum(1, (available / self.ratio).astype(np.int64))


class GivesShares(Scarce):
    def counts(self, available):
        return available / self.ratio


class LosesAClass(Scarce):
    def counts(self, available):
        return available // (1 if self.ratio < 7 else 10)


class Wavers(Scarce):
    def counts(self, available):
        return np.minimum(available, 1 + next(calls) % 2)


class Share(Metric):
    name = "share"

    def score(self, logits, labels) -> Any:
        return float((logits.argmax(1) == labels).mean())


class WritesOver(Share):
    def score(self, logits, labels):
        logits -= logits.mean()
        return super().score(logits, labels)


class WantsTwo(Share):
    def score(self, logits, labels):
        return float(logits[:, [0, 1, 2]].mean())


class Counts(Share):
    def score(self, logits, labels):
        return float(next(calls))


class FirstImage(Share):
    def score(self, logits, labels):
        return float(logits[0, 0])


class InTurn(Executor):
    """Runs jobs by a function, in the thread that asks."""

    name = "in-turn"

    def start(self, server, devices) -> Any:
        return Turns(self, devices)

    def each(self, execution, job, work, done):
        done(job, work(job, execution.slot))


class Turns(Execution):
    def __init__(self, executor, devices):
        self.executor, self.slot = executor, Slot(0, devices[0], print)
        self.ended = threading.Event()

    def run(self, jobs, work, done):
        for job in jobs:
            if self.ended.is_set():
                break
            self.executor.each(self, job, work, done)

    def drain(self):
        self.ended.set()

    def stop(self):
        self.ended.set()


class Forgets(InTurn):
    def each(self, execution, job, work, done):
        work(job, execution.slot)


class AllAtOnce(Turns):
    def run(self, jobs, work, done):
        failed = []

        def one(job):
            try:
                done(job, work(job, self.slot))
            except Exception as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=one, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]


class HandsInAtOnce(InTurn):
    def start(self, server, devices):
        return AllAtOnce(self, devices)


class GivesUp(InTurn):
    def each(self, execution, job, work, done):
        outcome = work(job, execution.slot)
        if outcome is None:
            raise RuntimeError("nothing came of it")
        done(job, outcome)


class Deaf(InTurn):
    def each(self, execution, job, work, done):
        super().each(execution, job, work, done)
        execution.ended.clear()


class Swallows(InTurn):
    def each(self, execution, job, work, done):
        try:
            outcome = work(job, execution.slot)
        except KeyError:
            outcome = None
        done(job, outcome)


GOOD = (Plate, Specks, Flip, Scarce, Share, InTurn)
BROKEN: list[tuple[str, type[Any], str]] = [
    ("gives_a_logit_for_each_class", FewLogits, r"gave \(4, 2\), expected logits of .*\(4, 3\)"),
    ("works_with_grey_odd_and_small_images", Square, "backbone 'plate' raised"),
    ("builds_the_same_network_under_one_seed", Remembering, "under one seed differ"),
    ("builds_the_same_network_under_one_seed", Constant, "two seeds give one network"),
    ("its_head_reads_its_features", ReadsElsewhere, "differs from the network's own logits"),
    ("predicts_each_image_on_its_own", LooksAround, "change with the other images"),
    ("can_be_copied_and_saved", HoldsALambda, "cannot be copied and saved"),
    ("can_be_trained", CutsTheGraph, "no finite gradient for body"),
    ("runs_on_an_accelerator", StaysOnTheHost, "different devices .*test_kinds.py, line"),
    ("does_not_stall_it", ReadsItsFeatures, "to read a value .*test_kinds.py, line"),
    ("finds_its_files", LostItsFiles, "names nowhere.npz, which is no file"),
    ("gives_images_and_labels_that_fit", ReturnsNothing, "load gave NoneType"),
    ("gives_the_same_again", SharesItsArrays, "share no array between two calls"),
    ("has_images_of_every_class", NamesTooMany, "part train has no image of c"),
    ("keeps_its_test_images_apart", JudgesOnTrain, "16 train in test"),
    ("gives_a_label_for_each_image", GivesFloats, "corrupt gave float64"),
    ("gives_a_label_for_each_image", MatrixNoise, "needs a CSV file"),
    ("works_without_an_image", NeedsAnImage, "raised ValueError: zero-size"),
    ("gives_the_same_again", DrawsElsewhere, "same streams give different labels"),
    (
        "changes_as_many_labels_as_it_says",
        Halves,
        r"rate=0\.1\) makes .* where transition says 10\.0 %",
    ),
    ("keeps_possible_counts", GivesShares, "counts gave float64"),
    ("leaves_images_of_every_class", LosesAClass, r"LosesAClass\(ratio=7\.5\) keeps \[4, 0\]"),
    ("gives_the_same_again", Wavers, "give two answers"),
    ("gives_a_finite_number", WritesOver, r"read-only.*logits\.copy\(\)"),
    ("works_with_two_and_with_many_classes", WantsTwo, "predictions of 2 classes"),
    ("gives_the_same_again", Counts, "gives two values"),
    ("does_not_depend_on_the_order_of_images", FirstImage, "in reverse order score"),
    ("hands_in_what_each_job_comes_to", Forgets, "6 of 6 jobs not done"),
    ("hands_in_one_at_a_time", HandsInAtOnce, "another call of it was still going on"),
    ("goes_on_after_a_job_that_came_to_nothing", GivesUp, "raised RuntimeError: nothing came"),
    ("starts_nothing_more_once_it_drains", Deaf, "its `ended` is not set"),
    ("passes_on_what_benchbase_raises", Swallows, "was swallowed"),
]


@pytest.mark.parametrize("plugin", GOOD, ids=kind_of)
def test_a_good_one_passes_every_check(plugin) -> None:
    check_plugin(plugin)


@pytest.mark.parametrize(
    ("name", "plugin", "message"), BROKEN, ids=[cls.__name__ for _, cls, _ in BROKEN]
)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    [check] = [check for check in CHECKS[kind_of(plugin)] if check.name == name]
    with pytest.raises(Exception, match=message):
        check(plugin)


def test_every_check_has_something_that_fails_it() -> None:
    failed = {(kind_of(cls), name) for name, cls, _ in BROKEN}
    known = {
        (kind, check.name)
        for kind, checks in CHECKS.items()
        for check in checks
        if kind != "weighters" and check.name != "options_survive_json"
    }
    assert failed == known


def test_a_network_with_a_logit_that_is_no_number_is_told() -> None:
    class NotANumber(Plate):
        def build(self, shape, num_classes):
            model = super().build(shape, num_classes)
            torch.nn.init.constant_(model.head.bias, torch.nan)
            return model

    with pytest.raises(Exception, match="fresh network are not finite"):
        check_plugin(NotANumber)
