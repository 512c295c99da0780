"""What is committed here only grows."""

from __future__ import annotations

from pathlib import Path

from benchbase.records.history import altered_results, whole_history
from tests.needs import need

ROOT = Path(__file__).parent.parent


def test_no_result_of_this_protocol_was_altered() -> None:
    need("history", there=whole_history(ROOT))
    assert altered_results(ROOT) == []
