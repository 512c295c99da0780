"""As many numbers come with a message as were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.errors import ContractError, DivergedError
from benchbase.running.arrays import read_logits, read_weights
from benchbase.running.messages import Logits


def test_logits_come_in_the_shape_that_was_asked_for():
    logits = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (read_logits(Logits(shape=[3, 2]), logits.tobytes(), 3, 2) == logits).all()
    for shape, blob in (([2, 3], logits.tobytes()), ([3, 2], logits.tobytes()[:-1])):
        with pytest.raises(ContractError, match=r"\(3 images, 2 classes\)"):
            read_logits(Logits(shape=shape), blob, 3, 2)


def test_weights_are_one_for_each_row_or_none_at_all():
    assert read_weights(b"", 3) is None
    seen = np.array([1.0, np.nan, 0.0], dtype=np.float32)
    assert np.array_equal(read_weights(seen.tobytes(), 3), seen, equal_nan=True)
    with pytest.raises(ContractError, match="expected 4 weights, got 3"):
        read_weights(seen.tobytes(), 4)
    with pytest.raises(DivergedError, match="infinite"):
        read_weights(np.array([np.inf], dtype=np.float32).tobytes(), 1)
