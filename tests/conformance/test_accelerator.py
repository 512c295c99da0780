"""What is ours runs on a pretend accelerator as on the CPU, bit for bit, and does not stall it."""

from __future__ import annotations

import itertools
import os

import msgspec
import pytest
import torch

from benchbase.cell import Invariances
from benchbase.data.augment import make_augment
from benchbase.data.strong_augment import make_strong_augment
from benchbase.seeding import torch_stream
from benchbase.testing.accelerator import FEW, PRETEND, forked, run_on, why_no_pretend
from tests.needs import need
from tests.running import installed

OURS = [entry for kind in ("weighters", "backbones") for entry in installed().of(kind)]


@pytest.fixture(autouse=True)
def pretend_accelerator() -> None:
    need("pretend-accelerator", there=why_no_pretend() is None)


@pytest.mark.slow
@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_it_runs_there_to_the_last_bit_and_does_not_stall_it(entry):
    found = run_on(PRETEND, entry.load)
    assert (found.traceback, found.error) == ("", None)
    assert not any(found.differences), found.differences
    assert found.stalls <= FEW, found.waits


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


def test_what_ends_the_process_is_told():
    assert run_on(PRETEND, lambda: os._exit(7)).error == "its process ended with exit code 7"
