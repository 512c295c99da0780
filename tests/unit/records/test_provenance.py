from __future__ import annotations

import platform

import pytest
import torch

from benchbase.records.provenance import describe_numerics, processor

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 207
model name\t: Some(R) Processor
stepping\t: 8
"""
ARM = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


@pytest.mark.parametrize(
    ("described", "make"), [(INTEL, "GenuineIntel 6 207"), (ARM, "0x41 0xd0c")]
)
def test_two_makes_with_one_instruction_set_are_two_processors(tmp_path, described, make):
    file = tmp_path / "cpuinfo"
    file.write_text(described)
    assert processor(file) == f"{torch.backends.cpu.get_cpu_capability()}, {make}"


def test_a_system_that_describes_no_processor_is_asked_for_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert processor(tmp_path / "none").endswith(", arm")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert processor(tmp_path / "none").endswith(", unknown")


def test_a_cell_s_numerics_name_the_processor():
    numerics = describe_numerics("float32-deterministic")
    assert (numerics.precision, numerics.deterministic) == ("float32", True)
    assert numerics.cpu_capability == processor()
