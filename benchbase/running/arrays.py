"""The arrays that come with a child's message, as raw float32: as many as were asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchbase.errors import ContractError, DivergedError
from benchbase.running.messages import Logits


def read_logits(reply: Logits, blob: bytes, rows: int, num_classes: int) -> NDArray[np.float32]:
    """Give the logits of a predictor's reply, shape (rows, classes).

    Raises:
        ContractError: they have another shape.
    """
    if reply.shape != [rows, num_classes] or len(blob) != 4 * rows * num_classes:
        raise ContractError(
            f"expected logits of shape ({rows} images, {num_classes} classes), got "
            f"{reply.shape!r:.100}"
        )
    return np.frombuffer(blob, np.float32).reshape(rows, num_classes)


def read_weights(blob: bytes, rows: int) -> NDArray[np.float32] | None:
    """Give the weights that came with a checkpoint, or None where none did.

    Raises:
        ContractError: there are more or fewer than rows.
        DivergedError: a weight is infinite.
    """
    if not blob:
        return None
    if len(blob) != 4 * rows:
        raise ContractError(f"expected {rows} weights, got {len(blob) / 4:g}")
    weights = np.frombuffer(blob, np.float32)
    if np.isinf(weights).any():
        raise DivergedError("a reported weight is infinite; NaN means a row never seen")
    return weights
