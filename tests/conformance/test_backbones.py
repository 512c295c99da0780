"""The checks of backbones: what is ours passes, and each finds what it is for."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from benchbase.api import Backbone, Classifier
from benchbase.backbones.resnet32 import ResNet32
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.testing.conformance import check_plugin, parametrize_with_checks
from tests.conformance.finding import check_finds, each_of, names_of_checks


@parametrize_with_checks([SmallCNN, ResNet32])
def test_our_small_backbones_keep_the_contract(backbone, check) -> None:
    check(backbone)


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


BROKEN = [
    ("gives_a_logit_for_each_class", FewLogits, r"gave \(4, 2\), expected logits of .*\(4, 3\)"),
    ("works_with_grey_odd_and_small_images", Square, "backbone 'plate' raised"),
    ("builds_the_same_network_under_one_seed", Remembering, "under one seed differ"),
    ("builds_the_same_network_under_one_seed", Constant, "two seeds give one network"),
    ("its_head_reads_its_features", ReadsElsewhere, "differs from the network's own logits"),
    ("predicts_each_image_on_its_own", LooksAround, "change with the other images"),
    ("can_be_copied_and_saved", HoldsALambda, "cannot be copied and saved"),
    ("can_be_trained", CutsTheGraph, "no finite gradient for body"),
    ("runs_on_an_accelerator", StaysOnTheHost, "different devices .*test_backbones.py, line"),
    ("does_not_stall_it", ReadsItsFeatures, "to read a value .*test_backbones.py, line"),
]


def test_a_good_one_passes_every_check() -> None:
    check_plugin(Plate)


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_something_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("backbones")


def test_a_network_with_a_logit_that_is_no_number_is_told() -> None:
    class NotANumber(Plate):
        def build(self, shape, num_classes):
            model = super().build(shape, num_classes)
            torch.nn.init.constant_(model.head.bias, torch.nan)
            return model

    with pytest.raises(Exception, match="fresh network are not finite"):
        check_plugin(NotANumber)
