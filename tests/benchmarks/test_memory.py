"""What a long sweep holds: the records of its cells, and nothing else that grows."""

from __future__ import annotations

from pathlib import Path

import pytest

MEGABYTES = 30
"""That a thousand records may hold: results stay in memory until the table."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read in /proc")
@pytest.mark.rare
@pytest.mark.slow
def test_a_thousand_real_cells_take_flat_memory(measure, hold):
    figures = measure("measure_memory.py")
    assert figures["cells"] >= 1000
    assert figures["failed"] == 0
    hold("megabytes that the parent gains over 900 cells", figures["parent_grown"], MEGABYTES)
    hold("megabytes that the process server gains", figures["server_grown"], 1)
