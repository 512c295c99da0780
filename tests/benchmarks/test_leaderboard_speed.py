"""Ten and a hundred thousand records, read and made into a leaderboard's files."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("place", ["beside", "home"])
def test_ten_thousand_records_become_a_leaderboard_in_a_second(measure, hold, place):
    figures = measure("measure_leaderboard.py", place, "5", "5")
    assert figures["records"] == 10_000
    hold(f"seconds for 10,000 records, {place}", figures["seconds"], 1.0)


@pytest.mark.rare
@pytest.mark.slow
def test_a_hundred_thousand_records_become_a_leaderboard_in_ten_seconds(measure, hold):
    figures = measure("measure_leaderboard.py", "beside", "50", "1")
    assert figures["records"] == 100_000
    hold("seconds for 100,000 records, beside", figures["seconds"], 10.0)
