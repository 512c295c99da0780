"""What a trainer does before the clock runs, and whose fault it is where that fails."""

from __future__ import annotations

import re

import pytest
import torch

from benchbase.api import Backbone, Need, Weighter
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.errors import RunError
from benchbase.plugins import Source
from benchbase.plugins.loading import load_class
from benchbase.running import trainer
from benchbase.running.channel import Channel
from benchbase.running.counting import Counter
from benchbase.running.messages import Failed, Keep, Loadable, Ready, Start
from benchbase.running.trainer import load_contestant, warm_up
from benchbase.testing.toy import ToyClassifier, toy_task

ANY = Loadable(source=Source("module", "no_such_module"), name="any", options={})
KEEP = Keep(path="", every=None, go_on_from=None, past=[])
START = Start(weighter=ANY, backbone=ANY, device="cpu", model="", keep=KEEP)


class Unlucky(Weighter):
    name = "unlucky"

    def fit(self, task):
        raise KeyError("mine")
        yield


class Faulty(Backbone):
    name = "faulty"

    def build(self, shape, num_classes):
        raise KeyError("width")


class Short(Backbone):
    name = "short"

    def build(self, shape, num_classes):
        return ToyClassifier(shape.channels, shape.height, num_classes - 1)


class TooLarge(Backbone):
    name = "too large"

    def build(self, shape, num_classes):
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")


class Speechless(ToyClassifier):
    def forward(self, images):
        if not self.training:
            raise KeyError("evaluation")
        return super().forward(images)


class NeverAsked(Backbone):
    name = "never asked"

    def build(self, shape, num_classes):
        return Speechless(shape.channels, shape.height, num_classes)


class Detached(ToyClassifier):
    def forward(self, images):
        return super().forward(images).detach()


class NeverTrained(Backbone):
    name = "never trained"

    def build(self, shape, num_classes):
        return Detached(shape.channels, shape.height, num_classes)


class Heard(Channel):
    """The parent's end: keeps what a trainer says."""

    def __init__(self):
        self.told = []

    def receive(self, *_):
        return START, b""

    def send(self, message, blob=b"", descriptors=()):
        self.told.append(message)


@pytest.fixture
def channel(monkeypatch):
    """Let a trainer train by a method that fails at once."""
    monkeypatch.setattr(trainer, "prepare_device", torch.device)
    monkeypatch.setattr(trainer, "load_contestant", lambda _: (Unlucky(), SmallCNN()))
    monkeypatch.setattr(trainer, "_load_task", lambda *_: toy_task(size=28))
    return Heard()


def test_a_trainer_is_warm_before_it_says_so_and_then_trains(channel, monkeypatch):
    monkeypatch.setattr(trainer, "warm_up", lambda *_: channel.send("warm"))
    trainer.main(channel)
    warm, ready, last = channel.told
    assert (warm, ready, last.status) == ("warm", Ready(), "error")


@pytest.mark.parametrize(
    ("backbone", "status", "message"),
    [
        (Faulty(), "killed", r"'faulty' raised KeyError: 'width' \(.*test_trainer\.py, line \d+\)"),
        (Short(), "killed", "'short': .* expected logits of shape"),
        (NeverAsked(), "killed", "'never asked' raised KeyError: 'evaluation'"),
        (NeverTrained(), "killed", "'never trained' raised RuntimeError: element 0"),
        (TooLarge(), "oom", "'too large' raised OutOfMemoryError"),
    ],
)
def test_a_backbone_s_bug_is_no_method_s_result(channel, monkeypatch, backbone, status, message):
    monkeypatch.setattr(trainer, "load_contestant", lambda _: (Unlucky(), backbone))
    trainer.main(channel)
    (said,) = channel.told
    assert isinstance(said, Failed)
    assert said.status == status
    assert re.search(f"backbone {message}", said.message)


def test_a_backbone_that_does_not_load_is_no_method_s_result(monkeypatch):
    monkeypatch.setattr(
        trainer,
        "load_class",
        lambda source, kind, name: (
            Unlucky if kind == "weighters" else load_class(source, kind, name)
        ),
    )
    with pytest.raises(RunError, match="no_such_module"):
        load_contestant(START)


def test_warming_up_moves_no_stream_no_count_and_no_network_of_the_method(monkeypatch):
    task = Counter().watching(toy_task(needs=frozenset({Need.TRUSTED}), size=28))
    expected = toy_task(size=28).build_model().state_dict()
    taken = []
    step = torch.optim.SGD.step

    def counted(self, *rest):
        taken.append(1)
        return step(self, *rest)

    monkeypatch.setattr(torch.optim.SGD, "step", counted)
    before = torch.get_rng_state()
    pixels = task.train.pixels.clone()
    warm_up(task, SmallCNN())
    assert taken == [1]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(task.train.pixels, pixels)
    assert (task.meter.steps, task.meter.forwarded) == (0, 0)
    for name, value in task.build_model().state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_set_smaller_than_a_batch_is_warm_as_well():
    task = toy_task(size=28, per_class=1, num_classes=2)
    warm_up(task, SmallCNN())
