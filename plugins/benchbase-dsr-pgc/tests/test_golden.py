"""Results change with a version only."""

import pytest
from benchbase_dsr_pgc import register_backbones, register_weighters


@pytest.mark.parametrize("weighter", register_weighters(), ids=lambda weighter: weighter.name)
def test_results_are_those_of_its_version(weighter, golden):
    golden(weighter)


@pytest.mark.parametrize("backbone", register_backbones(), ids=lambda backbone: backbone.name)
def test_networks_are_those_of_their_version(backbone, golden):
    golden(backbone)
