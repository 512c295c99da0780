"""The step that a trainer takes before the clock runs."""

from __future__ import annotations

import torch

from benchbase.api import Need
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.running.counting import Counter
from benchbase.running.trainer import warm_up
from benchbase.testing.toy import toy_task


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
