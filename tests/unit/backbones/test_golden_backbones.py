"""A network is what its version says."""

from __future__ import annotations

import pytest

from benchbase.plugins.own import register_backbones


@pytest.mark.parametrize("backbone", register_backbones(), ids=lambda backbone: backbone.name)
def test_logits_are_those_of_its_version(backbone, golden) -> None:
    golden(backbone)
