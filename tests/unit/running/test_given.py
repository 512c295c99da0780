"""What the parent gives, and what a method's process makes of it."""

from __future__ import annotations

import os

import msgspec
import pytest
import torch

from benchbase.api import Need, Recipe, Task
from benchbase.backbones.contract import Backbone
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances, Scenario
from benchbase.data.opening import Opened
from benchbase.data.strong_augment import make_strong_augment
from benchbase.errors import RunError
from benchbase.running.given import Gift, fit, give, make_task, read_images, unpack_labels
from benchbase.running.messages import Given
from benchbase.seeding import torch_stream
from tests.unit.data import conftest

stamps, cache, open_stamps = conftest.stamps, conftest.cache, conftest.open_stamps


KINDS = [
    Invariances(flips="none"),
    Invariances(),
    Invariances(flips="both", windows="centre", smallest_area=0.5, turns=180, colours=False),
]


def given(opened: Opened, *needs: Need) -> Gift:
    recipe = Recipe(learning_rate=0.1 + 0.2)
    scenario = Scenario(dataset="stamps", track="T5", recipe=recipe)
    return give(opened, scenario, 0, frozenset(need.value for need in needs))


def made(gift: Gift, *needs: Need, backbone: Backbone | None = None) -> Task:
    """Make the task as a child does, with what crosses the connection."""
    said = msgspec.json.encode(gift.message)
    message = msgspec.json.decode(said, type=Given)
    maps = zip(message.images.items(), gift.maps, strict=True)
    return make_task(
        message,
        unpack_labels(gift.packed_labels),
        {role: read_images(os.dup(each.descriptor), shape) for (role, shape), each in maps},
        backbone=backbone or SmallCNN(),
        needs=frozenset(needs),
        device=torch.device("cpu"),
        ask=lambda rows: [],
    )


@pytest.mark.parametrize("invariances", KINDS, ids=lambda it: it.flips)
def test_a_task_augments_strongly_as_its_data_set_allows(open_stamps, stamps, invariances) -> None:
    class Stamps(stamps):
        pass

    Stamps.invariances = invariances
    task = made(given(open_stamps(Stamps())))
    pixels = torch.arange(20 * 2 * 9 * 9).view(20, 2, 9, 9).to(torch.uint8)
    results = {
        kind: make_strong_augment(kind)(pixels, torch_stream(0, "augmentation")) for kind in KINDS
    }
    augmented = task.augment_strongly(pixels, torch_stream(0, "augmentation"))
    assert [kind for kind, result in results.items() if torch.equal(augmented, result)] == [
        invariances
    ]


def test_a_network_that_its_backbone_cannot_build_is_no_fault_of_the_method(open_stamps) -> None:
    class Faulty(SmallCNN):
        name = "faulty"

        def build(self, shape, num_classes):
            raise KeyError("width")

    task = made(given(open_stamps()), backbone=Faulty())
    with pytest.raises(RunError, match="backbone 'faulty' raised KeyError: 'width'"):
        task.build_model()


def test_a_method_is_told_that_nobody_knows_the_noise_rate(
    open_stamps, stamps, monkeypatch
) -> None:
    monkeypatch.setattr(stamps, "truth_known", False)
    needs = (Need.NOISE_RATE, Need.TRUSTED)
    for noise, rate, told in (("none", 0, "unknown"), ("symmetric:0.4", 0.4, "realised rate")):
        gift = given(open_stamps(noise=noise), *needs)
        assert gift.granted == {"trusted": "as given", "noise rate": told}
        task = made(gift, *needs)
        assert task.noise_rate == (pytest.approx(rate, abs=0.01) if rate else None)


@pytest.mark.parametrize("fraction", [None, 0.1])
@pytest.mark.parametrize("knows", [False, True])
def test_withheld_labels_are_true_for_whoever_knows_the_truth_and_minus_one_else(
    open_stamps, fraction, knows
) -> None:
    opened = open_stamps(label_fraction=fraction, noise="symmetric:0.4")
    needs = (Need.UNLABELLED, Need.TRUTH) if knows else (Need.UNLABELLED,)
    task = made(given(opened, *needs), *needs)
    if fraction is None:
        assert len(task.unlabelled) == 0
    elif knows:
        assert task.unlabelled.labels.tolist() == opened.unlabelled_true.tolist()
        assert task.truth.tolist() == opened.train_true.tolist()
    else:
        assert set(task.unlabelled.labels.tolist()) == {-1}


def test_what_is_given_arrives_to_the_last_bit(open_stamps) -> None:
    opened = open_stamps(noise="symmetric:0.4")
    gift = given(opened, Need.TRUSTED)
    task = made(gift, Need.TRUSTED)
    for images, part in ((task.train, opened.train), (task.trusted, opened.trusted)):
        assert torch.equal(images.pixels, torch.tensor(part.pixels))
        assert images.labels.tolist() == part.labels.tolist()
        assert images.rows.tolist() == [*range(len(part))]
    assert task.recipe == Recipe(learning_rate=0.1 + 0.2)
    assert (gift.message.mean, gift.message.std) == ([*opened.mean], [*opened.std])


def test_who_needs_nothing_is_given_nothing_else(open_stamps) -> None:
    gift = given(open_stamps(noise="symmetric:0.4"))
    assert ([*gift.message.images], [*gift.labels]) == (["train"], ["train"])
    assert (gift.message.noise_rate, gift.message.label_budget) == (None, 0)


def test_what_a_method_writes_into_its_images_nobody_else_sees(open_stamps) -> None:
    opened = open_stamps()
    before = opened.train.pixels.copy()
    descriptor = os.dup(opened.maps["train"].descriptor)
    pixels = read_images(descriptor, before.shape)
    with pytest.raises(OSError, match="Bad file"):  # a descriptor less for others to find
        os.fstat(descriptor)
    pixels.zero_()
    assert (opened.train.pixels == before).all()


@pytest.mark.parametrize(("free", "fits"), [(2 * 192, True), (2 * 191, False)])
def test_images_are_on_a_gpu_where_they_leave_room_to_train(monkeypatch, free, fits) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 1 << 30))
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    assert fit(torch.device("cuda"), images, images) is fits
    assert fit(torch.device("cpu"), images)
