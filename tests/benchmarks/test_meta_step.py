"""What ERM's and exact MW-Net's steps cost, against ERM before the kit was made faster.

Batch 100 (and 100 trusted), 32 pixels, one thread, channels-last, everything that a run repeats.
"""

import pytest


@pytest.mark.parametrize("backbone", ["small_cnn", "resnet32", "resnet18"])
def test_steps_stay_within_their_multiples_of_an_erm_step_at_the_start(measure, hold, backbone):
    figures = measure("measure_meta_step.py", backbone)
    hold(f"erm's step, {backbone}", figures["erm_ratio"], 1.05)
    hold(f"mwnet's memory, {backbone}", figures["memory_ratio"], 2.0)
    hold(f"mwnet's step, {backbone}", figures["step_ratio"], 3.5)
