"""What is ours runs on a pretend accelerator as on the CPU, bit for bit, and does not stall it."""

from __future__ import annotations

import itertools
import os

import msgspec
import pytest
import torch
from torch.nn import functional as F

from benchbase.cell import Invariances
from benchbase.data.augment import make_augment
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import seeded, torch_stream
from benchbase.testing.accelerator import FEW, PRETEND, forked, run_on, why_no_pretend
from tests.needs import need
from tests.running import installed

OURS = [entry for kind in ("weighters", "backbones") for entry in installed().of(kind)]

ROUNDING = {"efficientnet_b0": 1e-4}
"""Where gradients differ by rounding, behind pooling to one pixel."""


@pytest.fixture(autouse=True)
def pretend_accelerator() -> None:
    need("pretend-accelerator", there=why_no_pretend() is None)


@pytest.mark.slow
@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_it_runs_there_to_the_last_bit_and_does_not_stall_it(entry):
    found = run_on(PRETEND, entry.load)
    assert (found.traceback, found.error) == ("", None)
    assert max(found.differences) <= ROUNDING.get(entry.name, 0.0)
    assert found.stalls <= FEW, found.waits


@pytest.mark.slow
@pytest.mark.parametrize("entry", installed().of("weighters"), ids=lambda entry: entry.name)
def test_images_that_do_not_fit_it_change_no_bit(entry):
    found = run_on(PRETEND, entry.load, images_fit=False)
    assert (found.traceback, found.error) == ("", None)
    assert max(found.differences) == 0.0


def test_each_augmentation_runs_there_and_waits_for_nothing():
    assert forked(_augmentations_amiss) == b"[]"


def _augmentations_amiss() -> bytes:
    from benchbase.testing import pretend

    pixels = torch.randint(0, 256, (4, 3, 9, 12), dtype=torch.uint8, generator=_stream())
    choices = itertools.product(
        ("none", "horizontal", "both"), ("anywhere", "centre", "none"), (True, False)
    )
    amiss = []
    for flips, windows, colours in choices:
        allowed = Invariances(flips=flips, windows=windows, colours=colours)
        for augment in (make_augment(allowed, 2), make_strong_augment(allowed)):
            expected = augment(pixels, _stream())
            with pretend.Pretend():
                got = augment(pixels.to(pretend.DEVICE), _stream())
            waited = pretend.waits.total()
            if waited or not torch.equal(got.cpu(), expected):
                amiss.append(f"{allowed}: waits {waited} times, or differs")
            pretend.waits.clear()
    return msgspec.json.encode(amiss)


def _stream() -> torch.Generator:
    return torch_stream(0, "augmentation")


def test_a_change_of_shape_in_place_is_one_there_too():
    def changed() -> bytes:
        from benchbase.testing import pretend

        with pretend.Pretend():
            values = torch.zeros(2, 3, 1, 1, device=pretend.DEVICE)
            values.as_strided_((2, 3, 1, 1), (3, 1, 3, 3))
            turned = torch.zeros(2, 3, device=pretend.DEVICE).t_()
        return f"{values.stride()} {tuple(turned.shape)}".encode()

    assert forked(changed) == b"(3, 1, 3, 3) (3, 2)"


def test_dropout_draws_there_as_on_the_cpu():
    def dropped() -> bytes:
        from benchbase.testing import pretend

        values = torch.rand(50, generator=_stream())
        with seeded(0, "dropout"):
            expected = F.dropout(values, 0.3)
        with seeded(0, "dropout"), pretend.Pretend():
            got = F.dropout(values.to(pretend.DEVICE), 0.3)
        assert 0 < expected.count_nonzero() < len(values)
        return str(torch.equal(got.cpu(), expected)).encode()

    assert forked(dropped) == b"True"


def test_what_ends_the_process_is_told():
    assert run_on(PRETEND, lambda: os._exit(7)).error == "its process ended with exit code 7"
