"""A test that needs what is missing is skipped, and fails where it was said to be there."""

from __future__ import annotations

import pytest

from tests.needs import need, required


def test_what_is_there_lets_the_test_go_on() -> None:
    need("history", there=True)


def test_what_is_missing_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCHBASE_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="without its whole history"):
        need("history", there=False)


def test_what_is_missing_and_required_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHBASE_REQUIRE", "fashion-mnist, history")
    with pytest.raises(pytest.fail.Exception, match="BENCHBASE_REQUIRE names history, but"):
        need("history", there=False)


def test_a_required_name_that_no_test_asks_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHBASE_REQUIRE", "histroy")
    with pytest.raises(
        pytest.UsageError, match="histroy; expected some of bwrap, chromium, fashion-mnist, history"
    ):
        required()
