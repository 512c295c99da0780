"""What the signals of CC-DSW and DLSA-SW cost: small_cnn at 32 pixels, one thread."""

import pytest


@pytest.mark.parametrize("batch_size", [50, 100])
def test_signals_cost_at_most_a_tenth_of_an_mwnet_step(measure, hold, batch_size):
    figures = measure("measure_signals_step.py", str(batch_size))
    for method in ("cc-dsw", "dlsa-sw"):
        hold(f"{method} to mwnet, batch {batch_size}", figures[method], 1.1)
