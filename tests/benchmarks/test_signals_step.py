"""What the signals of CC-DSW and DLSA-SW cost: small_cnn at 32 pixels, one thread."""

import pytest


@pytest.mark.parametrize("batch_size", [50, 100])
def test_signals_cost_at_most_a_tenth_of_an_mwnet_step(measure, batch_size):
    figures = measure("measure_signals_step.py", str(batch_size))
    assert figures["cc-dsw"] <= 1.1
    assert figures["dlsa-sw"] <= 1.1
