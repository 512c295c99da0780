"""Standard streams that are closed, know few characters, or are a program's to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchbase.cli.streams import answer_in_json, prepare_streams, print_json

PROGRAM = (
    "from benchbase.cli.streams import prepare_streams\n"
    "prepare_streams()\n"
    "import sys\n"
    "print('score \u2192 1'); print('to stderr', file=sys.stderr)\n"
)


def test_a_character_that_stdout_does_not_know_ends_nothing():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "score \\u2192 1\n")


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_swallows_what_it_is_given(closed):
    shell = f'exec "$0" -c "$1" {closed}>&-'
    ran = subprocess.run(
        ["sh", "-c", shell, sys.executable, PROGRAM], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("columns", ["0", "wide", "-1"])
def test_a_width_that_is_none_is_left_to_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    prepare_streams()
    assert "COLUMNS" not in os.environ


def test_an_answer_in_json_is_alone_on_stdout(capsys):
    with answer_in_json(asked=True):
        print("a plugin's remark")
        print_json({"a": 1})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": 1}
    assert err == "a plugin's remark\n"
