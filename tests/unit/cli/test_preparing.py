"""How far a preparation is, on stderr."""

from __future__ import annotations

import sys

import pytest

from benchbase.cli import preparing
from benchbase.cli.preparing import shown_preparation
from benchbase.data.progress import tell


def test_a_terminal_shows_a_bar_that_is_gone_afterwards(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with shown_preparation():
        tell("decoding moles", 0, 50)
        tell("decoding moles", 25, 50)
        tell("decoding moles", 50, 50)
    assert "decoding moles" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "lines"), [(60.0, 0), (-1.0, 2)])
def test_elsewhere_a_line_is_written_now_and_then(monkeypatch, capsys, seconds, lines):
    monkeypatch.setattr(preparing, "WORTH_SAYING_SECONDS", seconds)
    with shown_preparation():
        tell("decoding moles", 0, 5000)
        tell("decoding moles", 2500, 5000)
        tell("decoding moles", 5000, 5000)
    written = capsys.readouterr().err.splitlines()
    assert len(written) == lines
    assert written[1:] == ["decoding moles: 2,500 of 5,000"][:lines]


def test_without_anybody_who_hears_nothing_is_said(capsys):
    tell("decoding moles", 0, 5000)
    assert capsys.readouterr().err == ""
