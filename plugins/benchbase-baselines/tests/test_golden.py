"""Results change with a version only."""

import pytest
from benchbase_baselines import register_weighters


@pytest.mark.parametrize("weighter", register_weighters(), ids=lambda weighter: weighter.name)
def test_results_are_those_of_its_version(weighter, golden):
    golden(weighter)
