"""What makes the host wait for a device, as the operation tells."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

READ_VALUE = "to read a value"
COUNT_CHOSEN = "to count what is chosen"
COPY_OUT = "to copy to the host"
FETCH_INDEX = "to fetch an index from the host"
WAITING = {
    "aten::_local_scalar_dense": READ_VALUE,
    "aten::equal": READ_VALUE,
    "aten::nonzero": COUNT_CHOSEN,
    "aten::masked_select": COUNT_CHOSEN,
    "aten::_unique": COUNT_CHOSEN,
    "aten::unique": COUNT_CHOSEN,
    "aten::bincount": COUNT_CHOSEN,
    "aten::repeat_interleave.Tensor": COUNT_CHOSEN,
}
"""How an operation begins, and what its host waits for."""
INDEXING = ("aten::index.", "aten::index_put", "aten::_index_put", "aten::_unsafe_index")


def what_waits(name: str, args: Any) -> str | None:
    """Say what the host waits for in an operation on the device; None where it does not."""
    if name.startswith(INDEXING):
        chosen = any(
            isinstance(x, Tensor) and x.dtype in (torch.bool, torch.uint8)
            for x in tree_leaves(args[1])
        )
        # One value from the host for all that is chosen is written without counting.
        filled = len(args) > 2 and args[2].numel() == 1 and args[2].device.type == "cpu"
        return COUNT_CHOSEN if chosen and not filled else None
    return next((what for begin, what in WAITING.items() if name.startswith(begin)), None)
