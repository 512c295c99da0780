"""What one exact MW-Net step costs: batch 100 + 100, 32 pixels, one thread, channels-last."""

import pytest


@pytest.mark.parametrize(("backbone", "most"), [("small_cnn", 4.9), ("resnet18", 3.9)])
def test_exact_meta_step_stays_within_its_multiple_of_an_erm_step(measure, backbone, most):
    figures = measure("measure_meta_step.py", backbone)
    assert figures["step_ratio"] <= most
    assert figures["memory_ratio"] <= 2.0
