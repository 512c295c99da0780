"""Methods run on a pretend accelerator as on the CPU, and what is at fault there is found."""

from __future__ import annotations

import pytest

from benchbase.plugins.source import Source
from benchbase.testing.accelerator import FEW, PRETEND, Found, has_pretend, run_on
from tests.needs import need
from tests.running import installed

pytestmark = pytest.mark.slow
NAMES = [
    "cc-dsw",
    "cc-dsw-bump",
    "co-teaching",
    "dlsa-sw",
    "dlsa-sw-fixed",
    "dsr",
    "dsr-corrected",
    "dsr-pgc-e",
    "elr",
    "erm",
    "fixmatch",
    "mean-teacher",
    "mwnet",
    "vog-active",
]
FIRST_PARTY = [
    (entry.kind, entry.source, entry.name)
    for entry in installed().of("weighters")
    if entry.name in NAMES
]
AT_FAULT = """
import torch
from benchbase.api import LossWeighter

class Stalling(LossWeighter):
    name = "stalling"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses) * (step.losses.mean().item() >= 0)

class Selecting(LossWeighter):
    name = "selecting"

    def prepare(self, task):
        def weigh(step):
            hard = step.losses[step.losses > 2]
            return torch.full_like(step.losses, 1 / (1 + len(hard)))

        return weigh

class OnHost(LossWeighter):
    name = "on-host"

    def prepare(self, task):
        return lambda step: torch.ones(len(step.losses))
"""
"""Each of these does a thing that no GPU is needed to find."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> dict[str, Found]:
    """What came of all, in one process."""
    need("pretend-accelerator", there=has_pretend())
    path = tmp_path_factory.mktemp("plugins") / "at_fault.py"
    path.write_text(AT_FAULT)
    source = Source("file", str(path))
    at_fault = [("weighters", source, name) for name in ("stalling", "selecting", "on-host")]
    return {one.name: one for one in run_on(PRETEND, [*at_fault, *FIRST_PARTY])}


@pytest.fixture
def found(everything) -> list[Found]:
    return [everything[name] for _, _, name in FIRST_PARTY]


def test_it_runs_on_an_accelerator(found):
    assert {one.name: one.error for one in found if one.error} == {}


def test_it_is_the_same_there_to_the_last_bit(found):
    assert {one.name: one.differences for one in found if any(one.differences)} == {}


def test_it_does_not_stall_it(found):
    assert {one.name: one.waits for one in found if one.stalls > FEW} == {}


def test_a_read_at_each_step_is_found_with_its_place(everything):
    [place] = [wait for wait in everything["stalling"].waits if "at_fault.py:" in wait]
    assert everything["stalling"].waits[place] > FEW


def test_a_boolean_index_at_each_step_is_found(everything):
    assert everything["selecting"].stalls > FEW


def test_tensors_on_two_devices_are_refused(everything):
    assert "tensors on different devices" in everything["on-host"].error
