"""An operation tells whether its host waits."""

from __future__ import annotations

import pytest
import torch

from benchbase.testing.waiting import COUNT_CHOSEN, READ_VALUE, what_waits

VALUES = torch.zeros(3)
MASK, ROWS = VALUES > 0, torch.zeros(2, dtype=torch.long)


@pytest.mark.parametrize(
    ("name", "args", "what"),
    [
        ("aten::add.Tensor", (VALUES, VALUES), None),
        ("aten::_local_scalar_dense", (VALUES[0],), READ_VALUE),
        ("aten::nonzero", (VALUES,), COUNT_CHOSEN),
        ("aten::index.Tensor", (VALUES, [MASK]), COUNT_CHOSEN),
        ("aten::index.Tensor", (VALUES, [None, ROWS]), None),
        ("aten::index_put_", (VALUES, [MASK], VALUES[:2]), COUNT_CHOSEN),
        ("aten::index_put_", (VALUES, [MASK], torch.tensor(1.0)), None),
    ],
)
def test_what_waits(name, args, what):
    assert what_waits(name, args) == what
