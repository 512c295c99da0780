"""What a trainer does before the clock runs, and whose fault it is where that fails."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

import msgspec
import pytest
import torch

from benchbase.api import Backbone, LossWeighter, Need, Recipe, Weighter
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Scenario
from benchbase.errors import RunError
from benchbase.kit import devices
from benchbase.plugins import Source
from benchbase.plugins.loading import load_class
from benchbase.running import trainer
from benchbase.running.channel import Channel
from benchbase.running.counting import Counter
from benchbase.running.given import Gift, give
from benchbase.running.messages import Failed, Given, Keep, Loadable, Ready, Start
from benchbase.running.trainer import load_contestant, warm_up
from benchbase.testing.accelerator import forked, why_no_pretend
from benchbase.testing.toy import ToyClassifier, toy_task
from tests.needs import need
from tests.unit.data import conftest

stamps, cache, open_stamps = conftest.stamps, conftest.cache, conftest.open_stamps
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


class Tiny(Backbone):
    name = "tiny"

    def build(self, shape, num_classes):
        return ToyClassifier(shape.channels, shape.height, num_classes)


class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)


class Heard(Channel):
    """The parent's end: keeps what a trainer says."""

    def __init__(self, start=START, gift=None):
        self.start = start
        self.gift = gift
        self.told = []

    def receive(self, *kinds):
        if Given in kinds:
            return self.gift.message, self.gift.packed_labels
        return self.start, b""

    def receive_files(self, count):
        return [os.dup(each.descriptor) for each in self.gift.maps]

    def send(self, message, blob=b"", descriptors=()):
        self.told.append(message)


@pytest.fixture
def channel(monkeypatch):
    """Let a trainer train by a method that fails at once."""
    monkeypatch.setattr(devices, "prepare", torch.device)
    monkeypatch.setattr(trainer, "load_contestant", lambda _: (Unlucky(), SmallCNN()))
    monkeypatch.setattr(trainer, "_load_task", lambda *_: toy_task(size=28))
    return Heard()


def trained_on_pretend(start: Start, gift: Gift) -> bytes:
    """Train on a pretend accelerator; tell what was said, and what the host waited for."""
    from benchbase.testing import pretend

    heard = Heard(start, gift)
    with pretend.Pretend():
        trainer.main(heard)
    return msgspec.json.encode(
        {
            "said": [type(message).__name__ for message in heard.told],
            "last": heard.told[-1],
            # Where the harness looks for updates that are hidden from it is drawn by chance.
            "waits": sum(
                count
                for (_, places), count in pretend.waits.items()
                if not any(Path(path).name == "counting.py" for path, _ in places)
            ),
            "largest": pretend.MODULE.largest,
        }
    )


def test_it_trains_on_the_device_that_it_is_told_and_waits_for_it_once_an_epoch(
    open_stamps, tmp_path, monkeypatch
):
    need("pretend-accelerator", there=why_no_pretend() is None)
    monkeypatch.setattr(trainer, "load_contestant", lambda _: (Plain(), Tiny()))
    start = msgspec.structs.replace(START, device="pretend", model=str(tmp_path / "model"))
    found = []
    for steps in (1, 2):  # within one pass over the images
        recipe = Recipe(epochs=2, batch_size=4, steps_per_epoch=steps)
        scenario = Scenario(dataset="stamps", track="T5", recipe=recipe)
        gift = give(open_stamps(), scenario, 0, frozenset())
        found.append(msgspec.json.decode(forked(partial(trained_on_pretend, start, gift))))
    assert [one["said"] for one in found] == [["Ready", "Checkpoint", "Checkpoint", "Done"]] * 2
    assert found[0]["waits"] == found[1]["waits"] > 0
    assert found[0]["last"]["spent"]["peak_memory_bytes"] == found[0]["largest"] > 0
    saved = torch.load(start.model, weights_only=False)
    assert {value.device.type for value in saved.state_dict().values()} == {"cpu"}


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
