"""Images that come to the device a batch ahead, over a lane that copies as late as it may."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import pytest
import torch

from benchbase.kit import feed, loops
from benchbase.kit.feed import Feed, delivered, lane_to
from benchbase.kit.loops import endless_batches
from benchbase.testing.accelerator import FEW, why_no_pretend
from benchbase.testing.toy import toy_task

PIXELS = torch.arange(40 * 3 * 2 * 2).remainder(251).to(torch.uint8).view(40, 3, 2, 2)


class Late:
    """A copy that is made when the host waits for it, or when all is over."""

    def __init__(self, images, lane):
        self.source, self.there, self.lane = images, torch.zeros_like(images), lane

    def arrive(self):
        return self.there

    def wait(self):
        self.lane.waited.append(self.lane.sent.index(self))
        self.finish()

    def finish(self):
        if self.source is not None:
            self.there.copy_(self.source)
        self.source = None


class LateLane:
    def __init__(self):
        self.sent: list[Late] = []
        self.waited: list[int] = []
        self.buffers = 0

    def buffer(self, shape):
        self.buffers += 1
        return torch.empty(shape, dtype=torch.uint8)

    def send(self, images):
        self.sent.append(Late(images, self))
        return self.sent[-1]

    def finish(self):
        for copy in self.sent:
            copy.finish()


@pytest.fixture
def lane():
    return LateLane()


def test_what_is_on_its_way_is_not_written_over(lane):
    fed = Feed(PIXELS, lane)
    batches = torch.arange(40).flip(0).split(5)
    taken = []
    for batch, coming in zip(batches, [*batches[1:], batches[0]], strict=True):
        taken.append(fed.take(batch))
        fed.prepare(coming)
    lane.finish()
    assert torch.equal(torch.cat(taken), PIXELS.flip(0))
    assert lane.buffers == 2
    assert lane.waited == [*range(7)]  # a copy is waited for two batches after it was sent


def test_what_was_not_prepared_is_given_all_the_same(lane):
    fed = Feed(PIXELS, lane)
    one = fed.take(torch.tensor([3, 1]))
    fed.prepare(torch.tensor([7, 8]))
    other = fed.take(torch.tensor([9, 8, 2]))
    again = fed.take(torch.tensor([9, 8, 2]))
    lane.finish()
    assert torch.equal(one, PIXELS[[3, 1]])
    assert torch.equal(other, PIXELS[[9, 8, 2]])
    assert torch.equal(again, other)


class Immediate(LateLane):
    def send(self, images):
        copy = super().send(images)
        copy.finish()
        return copy


def test_batches_are_delivered_with_the_next_one_on_its_way(monkeypatch):
    lane, ahead, rows = Immediate(), [], torch.arange(40).flip(0)
    monkeypatch.setattr(feed, "lane_to", lambda _: lane)
    found = []
    for images in delivered(PIXELS, rows.split(12), torch.device("cuda")):
        found.append(images)
        ahead.append(len(lane.sent) - len(found))
    assert torch.equal(torch.cat(found), PIXELS.flip(0))
    assert ahead == [1, 1, 1, 0]
    assert lane.buffers == 2


def test_images_that_lie_on_the_device_are_delivered_without_a_lane(monkeypatch):
    monkeypatch.setattr(feed, "lane_to", None)
    found = [*delivered(PIXELS, torch.arange(40).split(12), torch.device("cpu"))]
    assert torch.equal(torch.cat(found), PIXELS)


def test_a_device_without_a_lane_of_its_own_copies_at_once():
    fed = Feed(PIXELS, lane_to(torch.device("cpu")))
    first = fed.take(torch.tensor([1, 2]))
    fed.prepare(torch.tensor([3, 4]))
    fed.take(torch.tensor([5, 6]))
    fed.take(torch.tensor([7, 8]))
    assert torch.equal(first, PIXELS[[1, 2]])


def test_batches_are_the_same_to_the_last_bit_wherever_their_images_lie(monkeypatch):
    def batches(task):
        some = task.train.subset(torch.arange(13))
        return [*islice(endless_batches(task, some, "training", 4), 10)]  # a pass leaves one over

    here = batches(toy_task())
    feeds = []

    def lane_to(device):
        feeds.append(device)
        return Immediate()

    monkeypatch.setattr(loops, "_fits", lambda *_: False)
    monkeypatch.setattr(loops, "lane_to", lane_to)
    there = batches(toy_task())
    assert len(feeds) == 1
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.rows, other.rows)


ON_THE_HOST = """
import copy
import dataclasses
import torch
from benchbase_baselines import MWNet
from benchbase.kit.loops import predict
from benchbase.running import predictor
from benchbase.testing.accelerator import PRETEND, _Device, _difference, _on_host, _trained, moved
from benchbase.testing.toy import toy_task

def task():
    return toy_task(needs=MWNet.needs, per_class=48, epochs=3)

pretend = _Device.named(PRETEND)
expected = [*_trained(MWNet(), task())]
with pretend.working():
    there = moved(task(), pretend.device)
    left = dataclasses.replace(there.train, pixels=task().train.pixels, rows=task().train.rows)
    for one, other in zip(expected, _trained(MWNet(), dataclasses.replace(there, train=left))):
        assert _difference(one, other) == 0
        waits = pretend.waits.total()
        pretend.waits.clear()
    asked = dataclasses.replace(there, train=left)
    model = asked.build_model()
    _, from_host = predict(asked, model, left)
    _, all_there = predict(there, model, there.train)
    # Two copies, as the judge's predictor has.
    copies = [copy.deepcopy(model) for _ in range(2)]
    device = pretend.device
    answered = predictor.predict(copies, left.pixels, there.normalise, device)
    answered_there = predictor.predict(copies, there.train.pixels, there.normalise, device)
    pairs = [(from_host, all_there), (answered, answered_there)]
    assert all(torch.equal(_on_host(one), _on_host(other)) for one, other in pairs)
    believed = left.subset(torch.ones(144, dtype=torch.bool).to(pretend.device))
    print(waits, believed.rows.device, believed.labels.device)
"""


@pytest.mark.skipif(why_no_pretend() is not None, reason=str(why_no_pretend()))
def test_a_method_trains_and_is_judged_on_a_device_whose_images_stay_on_the_host():
    """No step waits for the device: it does so at an epoch's end, as where all images are there.

    What is asked of a model is the same to the last bit, too, by the loop and by the predictor.
    """
    ran = subprocess.run(
        [sys.executable, "-c", ON_THE_HOST], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    waits, *places = ran.stdout.split()
    assert int(waits) <= FEW
    assert places == ["cpu", "pretend:0"]
