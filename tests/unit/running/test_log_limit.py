from __future__ import annotations

import time

import pytest

from benchbase.running import log_limit


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(log_limit, "LIMIT_BYTES", 1000)
    monkeypatch.setattr(log_limit, "SECONDS", 0.01)


def test_a_log_is_cut_while_it_is_written_and_says_so(tmp_path):
    log = tmp_path / "cell.log"
    with log_limit.limited(log), log.open("a") as file:
        for number in range(3):
            file.write(f"{number}" * 1500)
            file.flush()
            deadline = time.monotonic() + 10
            while log.stat().st_size > 1000:
                assert time.monotonic() < deadline, "nobody cut the log"
                time.sleep(0.01)
    text = log.read_text()
    assert text.startswith("0" * 1000 + "\n[the log ends here: more than 1,000 bytes")
    assert len(text) < 1100


def test_what_was_printed_since_the_last_look_is_cut_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(log_limit, "SECONDS", 60)
    log = tmp_path / "cell.log"
    with log_limit.limited(log):
        log.write_text("x" * 5000)
    assert "the log ends here" in log.read_text()
    assert log.stat().st_size < 1100


def test_a_short_log_stays_as_it_is(tmp_path):
    log = tmp_path / "cell.log"
    with log_limit.limited(log):
        log.write_text("hello")
    assert log.read_text() == "hello"


def test_a_cell_that_prints_nothing_gets_no_log(tmp_path):
    with log_limit.limited(tmp_path / "cell.log"):
        pass
    assert not list(tmp_path.iterdir())
