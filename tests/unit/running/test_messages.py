"""What no honest child says is no message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benchbase.judging.steps import LONGEST_REMARK, Counted
from benchbase.running.messages import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_NOTES,
    Checkpoint,
    Done,
    Failed,
    Message,
    Query,
    Spent,
)

COUNTED: dict[str, Any] = {
    "updates": [3, 4],
    "judged": 4,
    "digest": "ab",
    "images_with_gradient": 12,
    "difference": None,
}
HONEST: dict[type[Message], dict[str, Any]] = {
    Checkpoint: {"notes": {"loss": 1}, "counted": COUNTED, "parameters": 3, "spent": {}},
    Done: {"spent": {"images_forwarded": 3}},
    Failed: {"status": "oom", "error": "E", "message": "no", "traceback": "..."},
    Query: {"rows": [0, 4]},
}


def read(kind: type[Message], **changes: Any) -> Message:
    return msgspec.convert({**HONEST[kind], **changes}, kind)


def test_what_an_honest_child_says_is_read() -> None:
    checkpoint = read(Checkpoint)
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.notes == {"loss": 1.0}
    assert checkpoint.counted == Counted((3, 4), 4, "ab", 12, None)
    assert read(Done) == Done(spent=Spent(images_forwarded=3))
    assert read(Failed) == Failed(status="oom", error="E", message="no", traceback="...")
    assert read(Query) == Query(rows=[0, 4])


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Checkpoint, {"notes": None}),
        (Checkpoint, {"notes": [1.0]}),
        (Checkpoint, {"notes": {"loss": "low"}}),
        (Checkpoint, {"notes": {"loss": float("nan")}}),
        (Checkpoint, {"notes": {"loss": float("inf")}}),
        (Checkpoint, {"notes": {"right": True}}),
        (Checkpoint, {"notes": {"x" * (LONGEST_NAME + 1): 1.0}}),
        (Checkpoint, {"notes": {str(index): 0.0 for index in range(MOST_NOTES + 1)}}),
        (Checkpoint, {"counted": None}),
        (Checkpoint, {"counted": {**COUNTED, "judged": -1}}),
        (Checkpoint, {"counted": {**COUNTED, "updates": [-3]}}),
        (Checkpoint, {"counted": {**COUNTED, "images_with_gradient": "many"}}),
        (Checkpoint, {"counted": {**COUNTED, "difference": "x" * (LONGEST_REMARK + 1)}}),
        (Checkpoint, {"rank": 1}),
        (Done, {"spent": {"images_forwarded": -1}}),
        (Done, {"spent": {"images_forwarded": 1.5}}),
        (Done, {"spent": {"images_forwarded": True}}),
        (Done, {"spent": {"images_forwarded": 1 << 63}}),
        (Failed, {"status": "ok"}),
        (Failed, {"message": 1}),
        (Failed, {"traceback": "x" * (LONGEST_TEXT + 1)}),
        (Query, {"rows": None}),
        (Query, {"rows": [-1]}),
        (Query, {"rows": [True]}),
        (Query, {"rows": [0.0]}),
    ],
    ids=str,
)
def test_what_no_honest_child_says_is_refused(kind: type[Message], changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(kind, **changes)
