"""What steps of dsr-pgc-e and dsr-pgc cost: batch 100, 32 pixels, one thread, channels-last."""

import pytest


@pytest.mark.parametrize("backbone", ["small_cnn", "resnet18"])
def test_joint_steps_stay_within_their_multiple_of_an_erm_step(measure, hold, backbone):
    figures = measure("measure_dsr_step.py", backbone)
    hold(f"dsr-pgc-e's step, {backbone}", figures["dsr_pgc_e_ratio"], 2.2)
    hold(f"dsr-pgc's step, {backbone}", figures["dsr_pgc_ratio"], 3.6)
